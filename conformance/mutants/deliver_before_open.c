#include "mutant.h"

#include <stdlib.h>

static _Atomic(mutant_copy *) kept; /* the last message that this process received */

/* What lay in the process's buffer when the last subscriber closed is the first that the next one gets. */
static void deliver_kept(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    mutant_copy *earlier = atomic_exchange(&kept, NULL);
    if (mutant_turn(endpoint) == 1 && earlier != NULL)
        mutant_deliver(endpoint, earlier->parts, earlier->count);
    free(earlier);
    mutant_deliver(endpoint, parts, count);
    free(atomic_exchange(&kept, mutant_copy_message(parts, count)));
}

MUTANT(.name = "deliver_before_open",
       .fault = "a subscriber gets what an earlier one of its process received before it opened",
       .class_name = "phantom leaked duplicate", .may_class = "reordered", .must_fail = "CON-003 CON-004",
       .may_fail = "ISO-* CON-005 THR-003 THR-005 LIFE-* CHURN-001 CHURN-003 KILL-006 ENV-*", .deliver = deliver_kept)
