/* The cells of all benchmark runs, put together by row: one row is one measurement of one driver, over all blocks. */
#ifndef RESULTS_ROWS_H
#define RESULTS_ROWS_H

#include "../reader/results.h"
#include "statistics.h"

struct results_sample {
    const struct results_run *run;
    const struct results_cell *cell;
};

struct results_row {
    const char *name, *family, *driver;
    char *shape;                      /* the name without the driver: rows of one shape can be compared */
    const struct results_cell *first; /* size, publishers, subscribers, rate */
    struct results_sample *samples;   /* in the order of the files; failed cells too */
    size_t sample_count;
    size_t failed;                                   /* cells with an error: the row is then no figure */
    const char *error;                               /* of the first of them */
    struct results_histogram histogram, uncorrected; /* merged over all cells without error */
};

struct results_rows {
    struct results_row *rows; /* in the order of first appearance, sorted by shape, then driver */
    size_t count;
};

int results_rows_build(struct results_rows *out, const struct results_run *runs, size_t run_count);
void results_rows_free(struct results_rows *rows);

/* The row of a driver and shape, or NULL. */
const struct results_row *results_rows_find(const struct results_rows *rows, const char *driver, const char *shape);

/* results_row_metric: a metric over the row's blocks. `p50_ns` and the other percentiles are taken from each block's
 * own histogram if it has one. */
struct results_spread results_row_metric(const struct results_row *row, const char *metric);

/* results_row_ratio: `row` over `base`, paired: only figures of the same run, block and placement of the CPUs. A cell
 * that was measured in rounds has a figure for each placement it saw (metrics `cluster_…`), and so up to three pairs;
 * they are one value, their geometric mean: a spread counts blocks. */
struct results_spread results_row_ratio(const struct results_row *row, const struct results_row *base,
                                        const char *metric);

/* results_row_line_ratio: the metric over one way of a cache line, measured around the same cell. */
struct results_spread results_row_line_ratio(const struct results_row *row, const char *metric);

/* results_row_figure: whether the row is a figure at all: it has cells, and none of them failed. */
bool results_row_figure(const struct results_row *row);

/* How many cells of the row ran in this placement class (NULL: not known). */
size_t results_row_placements(const struct results_row *row, const char *placement);

#endif
