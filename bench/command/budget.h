/* What a run takes, said before it starts; and what to leave out when it may take only so long. */
#ifndef BENCH_BUDGET_H
#define BENCH_BUDGET_H

#include "plan.h"

/* What a block takes beside its cells: until the measuring program runs, and after its last cell. */
extern const double budget_block_seconds;

/* Of one of the shards, the longest; in seconds. */
double budget_estimate(const struct plan *, const struct options *, unsigned blocks);

struct budget {
    unsigned blocks;    /* to be measured */
    size_t rows;        /* left out of the plan */
    char dropped[1024]; /* them, in words */
};

enum { BUDGET_FEWEST_BLOCKS = 6 }; /* of fewer values a median has no interval */

/* Takes out of the plan what does not fit into options->budget: blocks first, but not below BUDGET_FEWEST_BLOCKS (or
 * what was asked for, or the number of shards); then rows, those that only larger suites have first and of these the
 * last, each for all drivers and with the limits that nothing is left to compare with. -ETIME: one row alone takes
 * longer; then `out` is what that would be. */
int budget_fit(struct budget *out, struct plan *, const struct options *);

#endif
