#include "mutant.h"

#include <poll.h>

static void dawdle(mutant_endpoint *endpoint)
{
    (void)endpoint;
    poll(NULL, 0, 2500);
}

MUTANT(.name = "slow_close", .fault = "close takes two and a half seconds", .class_name = "late", .may_class = "hung",
       .must_fail = "LIFE-001 LIFE-002", .may_fail = "*", .after_close = dawdle)
