#include "mutant.h"

static int duplicate(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    if (mutant_turn(endpoint) % 211 == 100)
        mutant_publish(endpoint, parts, count);
    return mutant_publish(endpoint, parts, count);
}

MUTANT(.name = "duplicate", .fault = "every 211th message is published twice", .class_name = "duplicate",
       .must_fail = "DEL-001 DEL-002 DEL-003 DEL-004 DEL-010 KILL-001 KILL-002 KILL-003",
       .may_fail = "DEL-005 DEL-006 DEL-007 DEL-008 DEL-009 DEL-012 DEL-013 DEL-014 DEL-015 DEL-016 CON-004 CON-005 "
                   "CON-007 CON-008 CON-009 LIFE-001 LIFE-002 LIFE-005 KILL-004",
       .publish = duplicate)
