/* What all have counted until one moment. */
#ifndef RUN_FIGURES_H
#define RUN_FIGURES_H

#include "crew.h"

struct figures {
    uint64_t at_ns;    /* 0: nobody has looked yet */
    struct counts sum; /* lost: the gaps that refusals do not explain */
    uint64_t gaps;
    uint64_t samples; /* of latencies, by the schedule; the others are NaN where too few are beyond them */
    double p50_ns, p99_ns, p999_ns, max_ns;
};

/* As of the latest look at each. */
void figures_take(struct figures *, const struct crew *);
void figures_percentiles(struct figures *, const struct ipcmark_histogram *);

#endif
