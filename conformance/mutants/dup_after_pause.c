#include "mutant.h"
#include "others.h"

static int watch(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)options;
    watch_continued();
    endpoint->turn = atomic_load(&continued_count);
    return 0;
}

/* Where it had got to was written down too late. */
static void deliver(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    mutant_copy *last = endpoint->state;
    if (endpoint->turn != atomic_load(&continued_count) && last != NULL)
        mutant_deliver(endpoint, last->parts, last->count);
    endpoint->turn = atomic_load(&continued_count);
    mutant_deliver(endpoint, parts, count);
    endpoint->state = mutant_copy_message(parts, count);
    free(last);
}

MUTANT(.name = "dup_after_pause", .fault = "a subscriber that was stopped receives the last message before once more",
       .class_name = "duplicate", .must_fail = "PAUSE-001 PAUSE-003 PAUSE-004 PAUSE-006",
       .may_fail = "CON-008 LIFE-001 KILL-008 PAUSE-005 ENV-008", .before_open = watch, .deliver = deliver)
