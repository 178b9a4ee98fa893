/* A cell: one row in one block, as it is measured and then written (results/FORMAT.md). */
#ifndef BENCH_CELL_H
#define BENCH_CELL_H

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
    char error[600];                          /* "": it is a figure */
};

void cell_init(struct cell *, const struct row *, unsigned block);
void cell_release(struct cell *);

/* Makes the cell an error; only the first reason is kept. Always -1, to be returned. */
int cell_fail(struct cell *, const char *format, ...) __attribute__((format(printf, 2, 3)));

void cell_metric(struct cell *, const char *name, double value);

/* Takes over the histogram, of times `ways` times as long as what the row is about (2: round trips, for one way), and
 * adds "samples", "max_ns" and those percentiles that hold. Fails the cell if it has no samples. */
int cell_histogram(struct cell *, cJSON *histogram, unsigned ways);

/* The record; the caller deletes it. NULL: out of memory. */
cJSON *cell_to_json(const struct cell *);

#ifdef __cplusplus
}
#endif
#endif
