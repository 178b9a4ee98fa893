#include "mutant.h"

#include <stdlib.h>

/* Keeps the last message that nobody was there for, and gives it to whoever comes. */
static int replay(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    mutant_copy *kept;
    if (mutant_peers(endpoint) == 0) {
        free(atomic_exchange(&endpoint->state, mutant_copy_message(parts, count)));
        return mutant_publish(endpoint, parts, count);
    }
    kept = atomic_exchange(&endpoint->state, NULL);
    if (kept != NULL)
        mutant_publish(endpoint, kept->parts, kept->count);
    free(kept);
    return mutant_publish(endpoint, parts, count);
}

MUTANT(.name = "replay", .fault = "the last message before a subscriber came is delivered to it",
       .class_name = "phantom duplicate", .must_fail = "DEL-009", .may_fail = "CON-008 LIFE-002 KILL-003",
       .needs = IPCMARK_CAP_PEERS, .publish = replay)
