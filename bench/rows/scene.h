/* The processes of a cell: one with the publisher, one for each subscriber, all connected. */
#ifndef BENCH_SCENE_H
#define BENCH_SCENE_H

#include <ipcmark/control.h>

#include "bench.h"

enum { SCENE_SUBSCRIBERS = 64 };

struct scene {
    struct bench *bench;
    struct cell *cell;
    ipcmark_trial *trial;
    ipcmark_participant *source, *sinks[SCENE_SUBSCRIBERS];
    uint16_t publisher, subscribers[SCENE_SUBSCRIBERS];
    unsigned count;   /* of subscribers */
    double switches;  /* of all participants, at scene_begin() */
    int64_t steal_ns; /* likewise */
};

/* All: 0, or -1 with the cell an error. */
int scene_open(struct scene *, struct bench *, struct cell *, bool count_only);
void scene_close(struct scene *); /* also after a failed open; whatever went wrong meanwhile makes the cell an error */

/* Awaits a call that must succeed. */
int scene_await(struct scene *, ipcmark_call *);

/* Publishes and waits until all subscribers have it; every message has to be sent and to arrive. *sent: the awaited
 * publish. */
int scene_publish(struct scene *, const ipcmark_publish_options *, const ipcmark_call **sent);

/* Around all that is timed; begin also resets the subscribers' statistics, so that warming up does not count, and fails
 * if anything was lost even then. */
int scene_begin(struct scene *);
int scene_end(struct scene *);
/* Resets the statistics again, between rounds. */
int scene_reset(struct scene *, uint16_t subscriber);

/* The statistics of a subscriber, once it is certain that it got exactly `expected` messages, undamaged and in order.
 */
int scene_stats(struct scene *, uint16_t subscriber, double expected, uint64_t from_ns, uint64_t to_ns,
                const ipcmark_call **stats);

#endif
