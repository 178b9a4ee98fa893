#include "mutant.h"

/* A sequence number of 16 bits whose 0 stands for a slot that nobody has written yet. */
static int wrap(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    return (uint16_t)mutant_turn(endpoint) == 0 ? 0 : mutant_publish(endpoint, parts, count);
}

MUTANT(.name = "wrap16", .fault = "a counter of 16 bits wraps, and the message at which it is 0 is lost",
       .class_name = "lost", .must_fail = "DEL-013", .may_fail = "KILL-* CHURN-* PACE-*", .publish = wrap)
