#include "mutant.h"

#include <errno.h>

enum { PLACES = 32 };

/* A table of so many places, and none of them is ever given back. */
static int take_place(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    atomic_uint_fast64_t *taken;
    if (!endpoint->subscriber)
        return 0;
    taken = mutant_share(options->directory, sizeof *taken);
    if (taken == NULL)
        return -ENOMEM;
    endpoint->turn = atomic_fetch_add(taken, 1);
    return 0;
}

static void deliver_to_some(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    if (endpoint->turn < PLACES)
        mutant_deliver(endpoint, parts, count);
}

MUTANT(.name = "mute_joiner", .fault = "from the 33rd on, a subscriber that joins hears nothing",
       .class_name = "lost hung", .must_fail = "CHURN-001", .may_fail = "LIFE-003 LIFE-005 CHURN-003 KILL-006",
       .before_open = take_place, .deliver = deliver_to_some)
