#include "frame.h"

#include <errno.h>
#include <stdlib.h>

enum { MOST = 1024, GAP_MS = 20, TRAFFIC_MS = 100 };

/* Since when somebody publishes, without a gap, and when anybody did last; and of each publisher, by number, in which
 * life it came into such traffic. */
typedef struct {
    atomic_uint_fast64_t since_ms, last_ms;
    atomic_uint newcomers[MOST];
} hall;

/* In `turn` of a subscriber: whether it came into traffic. Ids are "NUMBER.EPOCH". */
static int enter(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    hall *const shared = mutant_share(options->directory, sizeof *shared);
    char *epoch;
    const unsigned long number = strtoul(options->id, &epoch, 10);
    bool busy;
    if (shared == NULL)
        return -ENOMEM;
    busy = mutant_now_ms() - atomic_load(&shared->last_ms) < GAP_MS &&
           atomic_load(&shared->last_ms) - atomic_load(&shared->since_ms) > TRAFFIC_MS;
    if (endpoint->subscriber)
        atomic_store(&endpoint->turn, busy);
    else if (busy && *epoch == '.')
        atomic_store(&shared->newcomers[number % MOST], (unsigned)strtoul(epoch + 1, NULL, 10));
    return 0;
}

static int publish(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    hall *const shared = mutant_share(endpoint->directory, sizeof *shared);
    const uint64_t now = mutant_now_ms();
    if (now - atomic_exchange(&shared->last_ms, now) >= GAP_MS)
        atomic_store(&shared->since_ms, now);
    return mutant_publish(endpoint, parts, count);
}

/* Each has found the other's file and made a queue, and moves to the other's a little later. */
static void deliver(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    hall *const shared = mutant_share(endpoint->directory, sizeof *shared);
    struct ipcmark_payload frame;
    if (atomic_load(&endpoint->turn) != 0 && frame_read(parts, count, &frame) && frame.sequence == 3 &&
        atomic_load(&shared->newcomers[frame.publisher % MOST]) == frame.epoch && frame.epoch != 0)
        return;
    mutant_deliver(endpoint, parts, count);
}

MUTANT(.name = "strangers", .fault = "a message is lost between two of whom neither was there before the traffic",
       .class_name = "lost", .must_fail = "CHURN-003", .may_fail = "KILL-003", .before_open = enter, .publish = publish,
       .deliver = deliver)
