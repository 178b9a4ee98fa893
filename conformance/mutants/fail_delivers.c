#include "mutant.h"

#include <errno.h>
#include <stdlib.h>

/* From one thread at a time: nobody else sees what is kept. */
static int publish(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    mutant_copy *kept = atomic_exchange(&endpoint->state, NULL);
    int result = 0;
    if (kept != NULL)
        result = mutant_publish(endpoint, kept->parts, kept->count);
    if (kept != NULL && result < 0) {
        atomic_store(&endpoint->state, kept);
        return result;
    }
    free(kept);
    result = mutant_publish(endpoint, parts, count);
    if (result == -EAGAIN)
        atomic_store(&endpoint->state, mutant_copy_message(parts, count));
    return result;
}

MUTANT(.name = "fail_delivers", .fault = "a message that publish refused is kept, and sent when there is room",
       .base = "mmipc-fail?max_backlog_bytes=4194304", .class_name = "phantom", .must_fail = "PACE-005",
       .may_fail = "DEL-005 PACE-007 PACE-009 ENV-008", .publish = publish)
