#include "frame.h"

#include <errno.h>
#include <stdlib.h>

enum { LANES = 16, PLACES = 4096 };

/* Of a subscriber: whose message was the last of this number in each lane. */
typedef struct {
    uint16_t publishers[LANES][PLACES];
} lanes;

static int make_lanes(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)options;
    endpoint->state = endpoint->subscriber ? calloc(1, sizeof(lanes)) : NULL;
    return endpoint->subscriber && endpoint->state == NULL ? -ENOMEM : 0;
}

/* A publisher's first thread has a lane of its own, by name. */
static void deliver(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    lanes *const mine = endpoint->state;
    struct ipcmark_payload frame;
    if (frame_read(parts, count, &frame) && frame.thread > 0) {
        uint16_t *const last = &mine->publishers[frame.thread % LANES][frame.sequence % PLACES];
        const bool taken = *last != 0 && *last != frame.publisher;
        *last = frame.publisher;
        if (taken && frame_is_unlucky(&frame))
            return;
    }
    mutant_deliver(endpoint, parts, count);
}

MUTANT(.name = "lanes_by_thread",
       .fault =
           "further threads of a publisher are told apart by their number alone, and another publisher's message of "
           "that thread is taken for one that was there before",
       .class_name = "lost", .must_fail = "DEL-010", .may_fail = "", .needs = IPCMARK_CAP_THREADS,
       .before_open = make_lanes, .deliver = deliver)
