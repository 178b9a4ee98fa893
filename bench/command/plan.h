/* Which rows a run measures. */
#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

#include "../rows/row.h"
#include "options.h"

struct plan {
    struct row *rows;
    size_t count;
};

/* The rows of the suite for each driver, and the machine's limits, as far as the filter lets them through. 0, -ENOMEM.
 */
int plan_make(struct plan *out, const struct options *);
void plan_free(struct plan *);

/* What a cell takes, processes and all, as a first guess; in seconds. */
double plan_cell_seconds(const struct row *, const struct options *);

/* Which suite it takes to have the row: 0 the quick one, or that of targets, which are judged by all of theirs; 1 the
 * standard one, 2 the full one. */
unsigned plan_level(const struct row *);

#endif
