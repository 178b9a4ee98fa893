/* The few statistics that measuring takes; what is said about figures is in results/analysis. */
#ifndef BENCH_STATISTICS_H
#define BENCH_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NaN of nothing; the mean of the two in the middle of an even number. Sorts the values. */
double statistics_median(double *values, size_t count);

/* A percentile says something only with 100 samples beyond it. */
bool statistics_percentile_holds(double percentile, uint64_t samples);

/* The numbers 0 … count-1 in an order that follows from the seed and the block, each order as likely as any other. */
void statistics_shuffle(unsigned *order, size_t count, uint64_t seed, unsigned block);

#endif
