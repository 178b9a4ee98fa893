#include "mutant.h"
#include "others.h"

static int watch(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)options;
    watch_continued();
    endpoint->turn = atomic_load(&continued_count);
    return 0;
}

static void deliver(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    if (endpoint->turn == atomic_load(&continued_count))
        mutant_deliver(endpoint, parts, count);
}

MUTANT(.name = "deaf_after_pause", .fault = "a subscriber that was stopped hears nothing any more",
       .class_name = "lost hung", .must_fail = "PAUSE-001 PAUSE-003 PAUSE-004 PAUSE-006",
       .may_fail = "CON-008 LIFE-001 KILL-008 PAUSE-005 ENV-008", .before_open = watch, .deliver = deliver)
