/* What is measured of a pair while it rests: the part of a cost row that is of no size. */
#ifndef BENCH_COST_H
#define BENCH_COST_H

#include "scene.h"

/* Both: 0, or -1 with the cell an error. */
int cost_idle(struct scene *);  /* CPU time of a connected pair that sends nothing */
int cost_pairs(struct scene *); /* memory and descriptors of one more publisher and subscriber */

#endif
