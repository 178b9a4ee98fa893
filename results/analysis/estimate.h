/* A figure that can be taken of any drawing of the blocks it comes from. Within analysis/. */
#ifndef RESULTS_ESTIMATE_H
#define RESULTS_ESTIMATE_H

#include "rows.h"

struct results_estimate {
    size_t count; /* of blocks */
    /* Either a value a block, and the figure is their median, … */
    double *values, *drawn;
    /* … or the value of a rank of all blocks' samples together: for each block and value of the merged histogram, how
     * many samples of the block are not above it. */
    uint64_t *upto;
    const struct results_histogram *merged;
    double fraction;
};

/* The fraction that "p50_ns", "p999_ns" (99.9 %) or "close_p50_ns" names, or NAN: it is no percentile. */
double results_fraction(const char *metric);

/* results_estimate_row: of a metric of the row; count 0 if it has none. results_estimate_merged: of a percentile of its
 * merged histogram, however few samples are beyond it. results_estimate_values: of values, which are copied. 0 or
 * -ENOMEM. Each is ended by results_estimate_free. */
int results_estimate_row(struct results_estimate *out, const struct results_row *row, const char *metric);
int results_estimate_merged(struct results_estimate *out, const struct results_row *row, const char *metric);
int results_estimate_values(struct results_estimate *out, const double *values, size_t count);
void results_estimate_free(struct results_estimate *estimate);

/* Of the blocks that were drawn: `count` numbers below it. NULL: of all, each once. */
double results_estimate_of(struct results_estimate *estimate, const size_t *drawn);

/* A metric of one cell, a percentile of its own histogram where it has one; NAN: it has none. */
double results_cell_metric(const struct results_cell *cell, const char *metric);

#endif
