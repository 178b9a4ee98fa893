/* Says how far a run is: one line that renews itself, on stderr and if that is a terminal; else nothing. */
#ifndef BENCH_PROGRESS_H
#define BENCH_PROGRESS_H

#include "tally.h"

struct progress {
    bool terminal;
    uint64_t started_ns;
    size_t done_before;   /* of a run that is gone on with */
    double guess_seconds; /* for what is left of the run, before it is known */
};

void progress_begin(struct progress *, const struct tally *, double guess_seconds);
void progress_cell(const struct progress *, const struct tally *, const struct tally_row *, unsigned block);
void progress_end(const struct progress *);

/* "2.4 s", "12 s", "3 min 05 s", "2 h 10 min" */
void progress_time(char text[32], double seconds);

/* "173 ns", "4.61 M msg/s", "17.2 GB/s": a figure as it is read; to a static-size buffer of the caller. */
void progress_figure(char text[32], const struct row *, double figure);
/* The same of any metric, by its name: "p99_ns", "cpu_share", … */
void progress_metric(char text[32], const char *metric, double value);

#endif
