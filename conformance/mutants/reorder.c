#include "mutant.h"

#include <errno.h>
#include <stdlib.h>

/* Once only: a message that is held back at the very end would be lost, which is another fault. */
static int reorder(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    const uint64_t turn = mutant_turn(endpoint);
    mutant_copy *held;
    int result;
    if (turn == 150) {
        held = mutant_copy_message(parts, count);
        atomic_store(&endpoint->state, held);
        return held != NULL ? 0 : -ENOMEM;
    }
    result = mutant_publish(endpoint, parts, count);
    held = turn > 150 ? atomic_exchange(&endpoint->state, NULL) : NULL;
    if (held != NULL) {
        mutant_publish(endpoint, held->parts, held->count);
        free(held);
    }
    return result;
}

MUTANT(.name = "reorder", .fault = "the 150th message is published after the 151st", .class_name = "reordered",
       .must_fail = "DEL-001 DEL-002 DEL-003 DEL-004", .may_fail = "*", .publish = reorder)
