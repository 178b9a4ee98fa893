/* One row beside another: block by block within a run, as a whole between runs. */
#ifndef RESULTS_COMPARE_H
#define RESULTS_COMPARE_H

#include "rows.h"

/* results_cell_has: whether it has the figure at all, as a whole or in one placement of the CPUs. */
bool results_cell_has(const struct results_cell *cell, const char *metric);

/* One value of a block: what its cells have in common moves them all, so a block counts once. */
struct results_pair {
    int block;
    double ratio;
};

/* results_pairs: `row` over `base` in each block of a run that has both in one placement of the CPUs (METHOD.md,
 * "Ratios are made pair by pair"); of several placements the geometric mean. Rows whose processes run on any CPU, and
 * wake-ups, costs and comings and goings, are paired by block alone. A percentile that a cell of either row has too few
 * samples for pairs nothing: the blocks that are left would be the fast ones. Not of rows of two runs. `out` has room
 * for row->sample_count, in the order of the blocks. */
size_t results_pairs(const struct results_row *row, const struct results_row *base, const char *metric,
                     struct results_pair *out);

/* results_line_pairs: the metric over one way of a cache line, measured around the same cell. */
size_t results_line_pairs(const struct results_row *row, const char *metric, struct results_pair *out);

struct results_ratio {
    struct results_spread spread; /* of row over base; count: blocks (of the row that has fewer, if not paired) */
    bool paired;                  /* block by block; otherwise two runs, each as a whole: say so */
    bool normalised;              /* each run by its limit, measured in its own blocks */
    const char *why;              /* why there is none, in words; NULL: there is one */
};

/* results_compare: `row` over `base`. In one run: the median of the pairs and its exact interval. Of two runs: the
 * median of the one over that of the other, with an interval that comes from drawing blocks of both anew. If both runs
 * have measured the limit of the row, then each is taken over that first, so that it is not the two machines that are
 * compared. */
struct results_ratio results_compare(const struct results_rows *rows, const struct results_row *row,
                                     const struct results_row *base, const char *metric);

/* What was measured of the machine itself beside a row (a cell's `limit_of` in ../FORMAT.md): a bound, that no
 * implementation can pass; a reference, that a better one passes; or a share, that the suite itself has in the figure.
 */
struct results_limit {
    const struct results_row *row; /* of the same run; NULL: the cache line around the row's own cells */
    char name[64];                 /* in words: "bare ring", "cache line" */
    const char *metric;            /* the one of both that was compared; static, or the caller's */
    bool bound;                    /* not only a reference */
    bool beaten;                   /* surely: the whole interval is below 1. It must be said beside the distance */
    struct results_ratio distance; /* of a bound or reference: how many times slower than it the row is (1: as fast). Of
                                      a share: how much of the row's time it is (0 to 1) */
};

enum { RESULTS_LIMITS = 8 };

/* results_limits: the bounds and references (or the shares) of a row's metric that were measured in the same run, for
 * its family and size: the tightest first, so those that were beaten before all others. Returns how many; 0: none was
 * measured, and none may be drawn. */
size_t results_limits(const struct results_rows *rows, const struct results_row *row, const char *metric, bool share,
                      struct results_limit out[RESULTS_LIMITS]);

/* Turned over, so that more is better: "times faster" of a time. */
struct results_spread results_inverse(struct results_spread spread);

/* Whether more of a metric is better; of a time, a cost or a size less is. */
bool results_more_is_better(const char *metric);

#endif
