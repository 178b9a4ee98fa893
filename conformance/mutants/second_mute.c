#include "mutant.h"

static int publish(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    return mutant_is_first(endpoint) ? mutant_publish(endpoint, parts, count) : 0;
}

MUTANT(.name = "second_mute",
       .fault = "connections are kept by process: the second publisher of one on a channel is not heard",
       .class_name = "lost hung", .must_fail = "ISO-006", .may_fail = "CHURN-002 CHURN-003 KILL-006 ENV-007 ENV-008",
       .publish = publish)
