#include "mutant.h"

static void deliver(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    if (mutant_is_first(endpoint))
        mutant_deliver(endpoint, parts, count);
}

MUTANT(.name = "second_deaf",
       .fault = "connections are kept by process: the second subscriber of one on a channel receives nothing",
       .class_name = "lost hung", .must_fail = "ISO-005", .may_fail = "CHURN-001 CHURN-003 KILL-006 ENV-007 ENV-008",
       .deliver = deliver)
