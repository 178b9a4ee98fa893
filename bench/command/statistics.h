/* The few statistics of the benchmark, apart from everything else so that they can be tested alone. */
#ifndef BENCH_STATISTICS_H
#define BENCH_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One row in one block. */
struct sample {
    unsigned block;
    const char *placement; /* NULL or "mixed": it can be paired with nothing */
    double value;
};

/* NaN of nothing; the mean of the two in the middle of an even number. Sorts the values. */
double statistics_median(double *values, size_t count);

/* Between which of `count` sorted values the true median lies with at least 95 % confidence, whatever their
 * distribution is: *low and *high, numbers from 0. False: there is no such pair (of fewer than six values). */
bool statistics_median_ranks(size_t count, size_t *low, size_t *high);

/* Likewise for the value that a fraction (0.99 for a p99) of all lie below. False: so few values have no lower bound.
 * *high may be `count`: they have no upper one. */
bool statistics_quantile_ranks(size_t count, double fraction, size_t *low, size_t *high);

/* The ratios a / b of the samples that were taken in the same block and in the same placement class; at most one for
 * each of a. Returns how many; ratios has room for count_a. */
size_t statistics_pair(const struct sample *a, size_t count_a, const struct sample *b, size_t count_b, double *ratios);

/* A percentile says something only with 100 samples beyond it. */
bool statistics_percentile_holds(double percentile, uint64_t samples);

/* The numbers 0 … count-1 in an order that follows from the seed and the block, each order as likely as any other. */
void statistics_shuffle(unsigned *order, size_t count, uint64_t seed, unsigned block);

#endif
