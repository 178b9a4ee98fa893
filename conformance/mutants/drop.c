#include "mutant.h"

/* Behind the first 100, so that what is lost lies between messages and not among the first ones. */
static int drop(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    return mutant_turn(endpoint) % 211 == 100 ? 0 : mutant_publish(endpoint, parts, count);
}

MUTANT(.name = "drop", .fault = "every 211th message is published to nobody", .class_name = "lost",
       .must_fail = "DEL-001 DEL-002 DEL-003 DEL-004 DEL-010 KILL-001 KILL-002 KILL-003", .may_fail = "*",
       .publish = drop)
