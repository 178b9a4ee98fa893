#include "later.h"

/* Long enough to be killed within; short enough to keep every deadline. */
static int open_queue(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)options;
    return endpoint->subscriber ? 0 : later_open(endpoint, 20);
}

MUTANT(.name = "lose_on_death", .fault = "publish returns before anything outside the publisher has the message",
       .class_name = "lost", .must_fail = "KILL-002", .may_fail = "KILL-003 LIFE-001",
       .needs = IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH | IPCMARK_CAP_THREADS | IPCMARK_CAP_PEERS,
       .before_open = open_queue, .publish = later_publish, .before_close = later_close)
