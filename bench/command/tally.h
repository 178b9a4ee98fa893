/* What has been measured so far: the cells of a run, by row and block. */
#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

#include <stdint.h>

#include <ipcmark/histogram.h>

#include "../limits/line.h"
#include "plan.h"
#include "statistics.h"

struct cJSON;

struct tally_cell {
    bool done;
    bool not_applicable;           /* the driver cannot have such a figure: neither error nor figure */
    const char *placement;         /* static, or NULL */
    double by_class[LINE_CLASSES]; /* its figure in the rounds of each of line_classes; NaN: none there, or no rounds */
    double figure;                 /* what row_metric() names; NaN: an error */
    double bytes_per_second;       /* NaN: has none */
    double line_ns;                /* mean of before and after; NaN: unknown */
    struct cJSON *metrics;         /* of a target row's figure: what else was measured; NULL: nothing */
};

struct tally_row {
    const struct row *row;
    struct tally_cell *cells;            /* one a block */
    struct ipcmark_histogram *histogram; /* of all blocks together; NULL: has none */
    char error[600];                     /* of the first cell that failed: the whole row is no figure then */
    char not_applicable[200];            /* why the driver cannot have such a figure; "": it can */
};

struct tally {
    struct tally_row *rows; /* as in the plan */
    size_t count;
    unsigned blocks;
    size_t done, planned;
};

int tally_open(struct tally *out, const struct plan *, unsigned blocks);
void tally_close(struct tally *);

/* Takes in a cell record. Returns where it went, or NULL: it is of no row of this plan, or there is one already. */
const struct tally_cell *tally_add(struct tally *, const struct cJSON *record);
bool tally_has(const struct tally *, size_t row, unsigned block);

bool tally_lower_is_better(const struct row *);

/* NULL, if it is not in the plan. */
const struct tally_row *tally_find(const struct tally *, const char *name);

/* The figures of a row; samples has room for one a block. Returns how many. */
size_t tally_samples(const struct tally *, const struct tally_row *, struct sample *samples);

/* The same of any metric of a target row. by_block: it has nothing to do with where the CPUs are, and is paired by
 * block only. */
size_t tally_metric_samples(const struct tally *, const struct tally_row *, const char *metric, bool by_block,
                            struct sample *samples);
/* Whether each cell, in each class that it saw, has a p99: one that had time for a few slow trips only has none, and to
 * leave it out would be to choose the fast ones. */
bool tally_has_every_p99(const struct tally *, const struct tally_row *);

/* For ratios with another row: a cell that was measured in rounds has a figure for each class; room for three a block.
 * Processes that are not pinned are in no class: their cells are paired by block only. */
size_t tally_class_samples(const struct tally *, const struct tally_row *, struct sample *samples);

/* The line that was measured around each cell of the row, likewise. */
size_t tally_lines(const struct tally *, const struct tally_row *, struct sample *samples);

#endif
