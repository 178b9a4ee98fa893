#include "past.h"

/* The list of subscribers shrinks while publish walks along it. */
static int drop(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    return past_growth(endpoint) < 0 ? 0 : mutant_publish(endpoint, parts, count);
}

MUTANT(.name = "drop_on_leave", .fault = "a message that is published while a subscriber leaves reaches nobody",
       .class_name = "lost", .must_fail = "CHURN-001 CHURN-003", .may_fail = "KILL-* PAUSE-*",
       .needs = IPCMARK_CAP_PEERS, .before_open = past_remember, .publish = drop)
