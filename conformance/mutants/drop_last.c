#include "mutant.h"

#include <errno.h>
#include <stdlib.h>

/* Close frees what is still held. */
static int hold_third(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    const uint64_t turn = mutant_turn(endpoint);
    mutant_copy *held = turn == 3 ? mutant_copy_message(parts, count) : atomic_exchange(&endpoint->state, NULL);
    if (turn == 3) {
        atomic_store(&endpoint->state, held);
        return held != NULL ? 0 : -ENOMEM;
    }
    if (held != NULL)
        mutant_publish(endpoint, held->parts, held->count);
    free(held);
    return mutant_publish(endpoint, parts, count);
}

MUTANT(.name = "drop_last", .fault = "the third message is lost if the publisher closes after it", .class_name = "lost",
       .may_class = "late", .must_fail = "DEL-011", .may_fail = "DEL-008 DEL-010 THR-002", .publish = hold_third)
