#include "mutant.h"

MUTANT(.name = "unbounded", .fault = "the backlog of a subscriber that does not read has no end",
       .base = "mmipc?max_backlog_bytes=4000000000", .class_name = "leftover", .must_fail = "PACE-007", .may_fail = "")
