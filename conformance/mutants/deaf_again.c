#include "mutant.h"

static atomic_int opened;

static int count_opens(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)options;
    if (endpoint->subscriber)
        endpoint->turn = (uint_fast64_t)atomic_fetch_add(&opened, 1);
    return 0;
}

static void deliver_to_the_first(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    if (endpoint->turn == 0)
        mutant_deliver(endpoint, parts, count);
}

MUTANT(.name = "deaf_again", .fault = "the second subscriber that a process opens receives nothing",
       .class_name = "lost hung", .must_fail = "CON-003 CON-004",
       .may_fail =
           "ISO-003 ISO-005 CON-005 THR-003 THR-005 LIFE-* CHURN-001 CHURN-003 KILL-004 KILL-005 KILL-006 ENV-*",
       .before_open = count_opens, .deliver = deliver_to_the_first)
