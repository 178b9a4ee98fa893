/* The processes of a cell: one for each publisher and one for each subscriber, all connected. */
#ifndef BENCH_SCENE_H
#define BENCH_SCENE_H

#include <ipcmark/control.h>

#include "bench.h"

enum { SCENE_MOST = 64 /* of either kind */ };

struct scene {
    struct bench *bench;
    struct cell *cell;
    ipcmark_trial *trial;
    ipcmark_participant *sources[SCENE_MOST], *sinks[SCENE_MOST];
    uint16_t publishers[SCENE_MOST], subscribers[SCENE_MOST];
    unsigned publisher_count, subscriber_count;
    double switches;  /* of all participants, at scene_begin() */
    int64_t steal_ns; /* likewise */
};

/* What all publishers together sent. */
struct sent {
    uint64_t first_ns, last_ns; /* the earliest start of a first publish, the earliest end of a last one */
    double messages, rate;      /* sums; the rate is achieved_rate */
    double retries;             /* likewise: publish said that there was no room, and was called again */
};

/* All: 0, or -1 with the cell an error. */
int scene_open(struct scene *, struct bench *, struct cell *, bool count_only);
void scene_close(struct scene *); /* also after a failed open; whatever went wrong meanwhile makes the cell an error */

/* Awaits a call that must succeed. */
int scene_await(struct scene *, ipcmark_call *);

/* All publishers publish this, and all subscribers get all of it; every message has to be sent and to arrive. */
int scene_publish(struct scene *, const ipcmark_publish_options *, struct sent *);

/* Around all that is timed; begin also resets the subscribers' statistics, so that warming up does not count, and fails
 * unless each of them got exactly so many messages by then: the first of a connection leave no gap if they are lost. */
int scene_begin(struct scene *, double warm_up);
int scene_end(struct scene *);
/* Resets the statistics again, between rounds. */
int scene_reset(struct scene *, uint16_t subscriber);

/* The statistics of a subscriber, once it is certain that it got exactly `expected` messages, undamaged and in order.
 */
int scene_stats(struct scene *, uint16_t subscriber, double expected, uint64_t to_ns, const ipcmark_call **stats);

#endif
