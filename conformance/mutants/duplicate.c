#include "mutant.h"

static int duplicate(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    if (mutant_turn(endpoint) % 211 == 100)
        mutant_publish(endpoint, parts, count);
    return mutant_publish(endpoint, parts, count);
}

MUTANT(.name = "duplicate", .fault = "every 211th message is published twice", .class_name = "duplicate",
       .must_fail = "DEL-001 DEL-002 DEL-003 DEL-004 DEL-010 KILL-001 KILL-002 KILL-003", .may_fail = "*",
       .publish = duplicate)
