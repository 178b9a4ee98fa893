/* What every row needs to be measured, and the functions that measure them, one a family. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "cell.h"

struct ipcmark_session;

#ifdef __cplusplus
extern "C" {
#endif

struct bench {
    struct ipcmark_session *session;
    const char *const
        *drivers;     /* as given, NULL-terminated; a row's driver is one of them by its label, or by itself */
    int cpu_a, cpu_b; /* of the publisher and of the subscriber in 1x1 rows; cpu_b < 0: there is only one CPU */
    bool floats;      /* … which they are not bound to: cells have no placement */
    double seconds;   /* that a cell with processes lasts */
    uint64_t samples; /* that a cell of latency has at least, however long that takes */
    uint64_t seed;
    unsigned block;
};

/* Starts the harness, and ends it with all that it started. */
int bench_open(struct bench *);
void bench_close(struct bench *);
/* The signal that asked us to end, or 0: what is being measured then is no cell. */
int bench_interrupted(const struct bench *);

extern const double bench_usual_seconds; /* that a cell lasts where nobody says otherwise */
/* Of what is `usual` in such a cell, as many as there is time for in this one: no more, and no fewer than `fewest`. */
unsigned bench_count(const struct bench *, unsigned usual, unsigned fewest);

/* Measures the cell, error and all. */
void bench_measure(struct bench *, struct cell *);

/* Each: 0, or -1 with the cell an error or not applicable. They measure the line before and after, outside of what they
 * time. */
int bench_latency(struct bench *, struct cell *);
int bench_pingpong(struct bench *, struct cell *); /* roundtrip and hot */
int bench_wakeup(struct bench *, struct cell *);
int bench_stream(struct bench *, struct cell *); /* throughput, size, fanout, fanin and mesh */
int bench_cost(struct bench *, struct cell *);
int bench_lifecycle(struct bench *, struct cell *);
int bench_line(struct bench *, struct cell *);
int bench_memcpy(struct bench *, struct cell *);

/* One way of a line between the two CPUs, now; < 0: unknown, or nobody is bound to them. */
double bench_line_ns(const struct bench *);
/* Time since boot that the hypervisor gave to others while we wanted it, all CPUs together; < 0: unknown. */
int64_t bench_steal_ns(void);
/* Puts into the cell what was stolen since. */
void bench_steal_since(struct cell *, int64_t before_ns);

#ifdef __cplusplus
}
#endif
#endif
