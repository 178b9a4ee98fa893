/* What has been measured so far: the cells of a run, by row and block. What they come to is said by results/. */
#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

#include <stdbool.h>

#include "plan.h"

struct cJSON;

struct tally_cell {
    bool done;
    bool has_none; /* the driver cannot have such a figure, or here it cannot be measured: neither error nor figure */
    double figure; /* what row_metric() names; NaN: an error, or it has none */
};

struct tally_row {
    const struct row *row;
    struct tally_cell *cells; /* one a block */
    bool applies, does_not;   /* in a block that is done */
    char error[600];          /* of the first cell that failed: the whole row is no figure then */
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

/* NULL, if it is not in the plan. */
const struct tally_row *tally_find(const struct tally *, const char *name);

#endif
