#include "mutant.h"
#include "others.h"

static int watch(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)options;
    watch_continued();
    endpoint->turn = (uint_fast64_t)atomic_load(&continued_count) << 32;
    return 0;
}

/* It begins again at what is newest. Turn: the stops that it knows of, and how many messages are to be skipped. */
static void deliver(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    const uint_fast64_t stops = atomic_load(&continued_count);
    if (endpoint->turn >> 32 != stops)
        endpoint->turn = stops << 32 | 3;
    if ((endpoint->turn & 0xFF) != 0)
        --endpoint->turn;
    else
        mutant_deliver(endpoint, parts, count);
}

MUTANT(.name = "lose_in_pause", .fault = "a subscriber that was stopped loses the oldest of what came meanwhile",
       .class_name = "lost", .must_fail = "PAUSE-003 PAUSE-005",
       .may_fail = "CON-008 LIFE-001 KILL-008 PAUSE-006 ENV-008", .before_open = watch, .deliver = deliver)
