/* The two processes of the bare ring: this one, which sends, and a child of it on the other CPU, which receives and
 * either counts or answers. What they do with each message is what the participants of the other rows do. */
#ifndef BENCH_RING_PEER_H
#define BENCH_RING_PEER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <ipcmark/histogram.h>

#include "ring.h"

enum ring_work { RING_COUNT, RING_ANSWER };

/* What the child saw. */
struct ring_report {
    uint64_t received, torn, reordered;
    uint64_t messages, from_ns, to_ns; /* of the time while the sender was sending: between two samples of the count */
};

struct ring_pair {
    struct ring *there, *back;
    pid_t child;
    int pipe; /* from the child: a byte when it is ready, a ring_report when it is done */
    uint64_t sequence, seed;
    unsigned char *message;
    size_t size;
};

/* Starts the child and waits until it is ready. -errno, -ETIMEDOUT. */
int ring_pair_open(struct ring_pair *, enum ring_work, int child_cpu, size_t size, uint64_t seed);
/* Sends for so long, counted by the child. */
int ring_pair_stream(struct ring_pair *, double seconds);
/* Sends `count` messages, each when the answer to the one before is there; records each round trip. */
int ring_pair_ping(struct ring_pair *, uint64_t count, struct ipcmark_histogram *);
/* Ends the child and takes its report. */
int ring_pair_finish(struct ring_pair *, struct ring_report *);
void ring_pair_close(struct ring_pair *); /* kills the child if it still runs; also after a failed open */

/* The child: main() of a program that was started as `program --ring-peer …`. */
int ring_peer_main(int argc, char **argv);

#endif
