#include "mutant.h"

#include <stdlib.h>

static void deliver_late(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    mutant_copy *held = atomic_exchange(&endpoint->state, NULL);
    if (held != NULL)
        mutant_deliver(endpoint, held->parts, held->count);
    free(held);
    if (mutant_turn(endpoint) % 3 == 0)
        atomic_store(&endpoint->state, mutant_copy_message(parts, count));
    else
        mutant_deliver(endpoint, parts, count);
}

MUTANT(.name = "lost_wakeup", .fault = "every third message is delivered only when the next one comes",
       .class_name = "late hung lost", .must_fail = "DEL-008", .may_fail = "*", .deliver = deliver_late)
