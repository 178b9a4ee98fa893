#include "later.h"

/* Long enough to be killed within; short enough to keep every deadline. */
static int open_queue(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)options;
    return endpoint->subscriber ? 0 : later_open(endpoint, 20);
}

MUTANT(.name = "lose_on_death", .fault = "publish returns before anything outside the publisher has the message",
       .class_name = "lost phantom leftover", .must_fail = "KILL-002",
       .may_fail = "PACE-007 THR-001 THR-005 LIFE-001 LIFE-002 CHURN-001 CHURN-003 KILL-* ENV-002 ENV-008",
       .needs = IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH | IPCMARK_CAP_THREADS | IPCMARK_CAP_PEERS,
       .before_open = open_queue, .publish = later_publish, .before_close = later_close)
