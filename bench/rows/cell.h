/* A cell: one row in one block, as it is measured and then written (results/FORMAT.md). */
#ifndef BENCH_CELL_H
#define BENCH_CELL_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>
#include <ipcmark/histogram.h>

#include "row.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cell {
    const struct row *row;
    unsigned block;
    double line_before_ns, line_after_ns;     /* < 0: unknown */
    int64_t steal_ns, context_switches;       /* < 0: unknown */
    double headline_ns;                       /* the time that a row's line shows: a median, or the time of a message */
    cJSON *metrics;                           /* numbers */
    cJSON *histogram, *histogram_uncorrected; /* NULL: it has none */
    cJSON *histograms;                        /* of other times, by name; NULL: there are none */
    cJSON *unmeasured;                        /* why a metric is null, by its name; NULL: none is */
    char error[600];                          /* "": it is a figure, unless it is not applicable */
    bool wrong;                               /* the error is of messages: see cell_wrong() */
    char not_applicable[300];                 /* "": the driver can have such a figure */
};

void cell_init(struct cell *, const struct row *, unsigned block);
void cell_release(struct cell *);

/* Makes the cell an error; only the first reason is kept. Always -1, to be returned. */
int cell_fail(struct cell *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Likewise, because messages did not arrive as they were sent: no pace of the machine excuses that. */
int cell_wrong(struct cell *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The driver cannot have such a figure, by what it claims or is: neither an error nor a figure. Always -1, likewise. */
int cell_not_applicable(struct cell *, const char *format, ...) __attribute__((format(printf, 2, 3)));

void cell_metric(struct cell *, const char *name, double value);
/* What could not be had here, or of this driver: the metric is null, and this is why. */
void cell_unmeasured(struct cell *, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Takes over the histogram, of times `ways` times as long as what the row is about (2: round trips, for one way), and
 * adds "samples", "max_ns" and those percentiles that hold. Fails the cell if it has no samples. */
int cell_histogram(struct cell *, cJSON *histogram, unsigned ways);
/* Likewise, of so slow events that one cell may have too few for a median. */
int cell_few_times(struct cell *, cJSON *histogram);
/* Times of one kind of several: a histogram by that name, and the metrics "NAME_ns", their mean, "NAME_samples",
 * "NAME_max_ns" and the percentiles that hold. */
void cell_more_times(struct cell *, const char *name, const cJSON *histogram);

/* The record; the caller deletes it. NULL: out of memory. */
cJSON *cell_to_json(const struct cell *);

#ifdef __cplusplus
}
#endif
#endif
