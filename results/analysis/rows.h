/* The cells of all benchmark runs, put together by row: one row is one measurement of one driver in one run, over all
 * its blocks. Files of one run (its shards) are put together; two runs stand side by side and are never pooled. */
#ifndef RESULTS_ROWS_H
#define RESULTS_ROWS_H

#include "../reader/results.h"
#include "statistics.h"

/* A run of the benchmark: one file, or several that are shards of one run. */
struct results_whole {
    const struct results_run *first; /* its header speaks for all */
    char *label;                     /* the file's name, short: "base"; or "run 2" where names are the same */
};

struct results_sample {
    const struct results_run *run; /* the file */
    const struct results_cell *cell;
};

struct results_row {
    const char *name, *family, *driver;
    size_t run;                       /* number of its run in `runs` of struct results_rows */
    char *label;                      /* what tells it from other rows of its shape: "mmipc"; with several runs in
                                         which that driver was measured "mmipc (base)" */
    char *shape;                      /* the name without the driver: rows of one shape can be compared */
    const struct results_cell *first; /* size, publishers, subscribers, rate */
    struct results_sample *samples;   /* in the order of the blocks; failed cells too; none if none applies */
    size_t sample_count;
    size_t not_applied;                              /* cells that do not apply; if others do, they are errors */
    size_t failed;                                   /* cells with an error: the row is then no figure */
    const char *error;                               /* of the first of them */
    const char *not_applicable;                      /* why the driver cannot have such a figure; else NULL */
    struct results_histogram histogram, uncorrected; /* merged over all cells without error */
    struct results_named *named;                     /* further ones, likewise */
    size_t named_count;
    double fewest, usual; /* samples of a cell: the fewest, and the median; NAN: unknown */
    size_t thin;          /* cells with less than a tenth of the usual samples */
};

struct results_rows {
    struct results_row *rows; /* sorted by family, size, shape, driver, run */
    size_t count;
    struct results_whole *runs; /* of benchmarks, in the order of the files */
    size_t run_count;
};

int results_rows_build(struct results_rows *out, const struct results_run *runs, size_t run_count);
void results_rows_free(struct results_rows *rows);

/* The row of a label (see above; of one run: the driver) and shape, or NULL. */
const struct results_row *results_rows_find(const struct results_rows *rows, const char *label, const char *shape);

/* The row of that name in a run, or NULL. */
const struct results_row *results_rows_named(const struct results_rows *rows, size_t run, const char *name);

/* The row of the same run and shape of another driver ("fifo"), or NULL. */
const struct results_row *results_rows_rival(const struct results_rows *rows, const struct results_row *row,
                                             const char *driver);

/* results_row_metric: a metric over the row's blocks. A percentile (`p50_ns`, `p999_ns`, …; of another histogram than
 * the first `uncorrected_p50_ns`, `close_p50_ns`) is that of the merged histogram, its interval found by drawing blocks
 * anew. NAN if there are too few samples, or if only percentiles of each block are known that cannot be merged. All
 * else is the median over the blocks with the interval of ranks. With fewer than 6 blocks low and high are the range of
 * the blocks, or NAN where one of them alone has too few samples. */
struct results_spread results_row_metric(const struct results_row *row, const char *metric);

/* results_row_tail: a percentile with few samples beyond it, of all blocks' samples together; count: samples. Its
 * interval is the wider, at either end, of that by drawing blocks anew, for samples of one block are not independent,
 * and that of ranks; high NAN: it has no upper end. No interval with fewer than 6 blocks. */
struct results_spread results_row_tail(const struct results_row *row, const char *metric);

/* The merged histogram that a percentile is of: `p50_ns`, `uncorrected_p99_ns`, `close_p50_ns`; NULL: there is none. */
const struct results_histogram *results_row_histogram(const struct results_row *row, const char *metric);

/* results_row_line_ratio: the metric over one way of a cache line, measured around the same cell. */
struct results_spread results_row_line_ratio(const struct results_row *row, const char *metric);

/* results_row_figure: whether the row is a figure at all: it applies, has cells, and none of them failed. */
bool results_row_figure(const struct results_row *row);

/* Whether each of its processes had a CPU of its own, so that a cell has a placement. */
bool results_row_pinned(const struct results_row *row);

/* How many cells of the row ran in this placement class (NULL: not known). */
size_t results_row_placements(const struct results_row *row, const char *placement);

/* results_rows_line: one way of a cache line around the cells of these rows that are of one run and ran in one
 * placement: what those may be compared with. One median over several is a line that no cell saw. */
struct results_spread results_rows_line(const struct results_row *rows, size_t count, size_t run,
                                        const char *placement);

#endif
