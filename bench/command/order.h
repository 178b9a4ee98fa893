/* In which order a block measures its rows. */
#ifndef BENCH_ORDER_H
#define BENCH_ORDER_H

#include "plan.h"

/* Whether two rows differ in their driver only, so that their figures are compared. */
bool order_is_alike(const struct row *, const struct row *);

/* Drawn from seed and block: rows that are alike come one after the other, so that what is compared meets the machine
 * in the same state; which of them is first is drawn as well. `order` has room for all. 0, -ENOMEM. */
int order_make(const struct plan *, uint64_t seed, unsigned block, unsigned *order);

#endif
