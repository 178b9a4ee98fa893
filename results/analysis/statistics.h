/* Medians and how sure they are, a test, resampling. All of it follows from the arguments: what is drawn is drawn from
 * a seed. NANs and infinities must not be among the values. */
#ifndef RESULTS_STATISTICS_H
#define RESULTS_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct results_spread {
    size_t count;
    double median, low, high; /* NAN without values */
    bool interval;            /* low and high hold the median with 95 %; otherwise they are the smallest and largest */
};

/* results_spread sorts the values and returns their median with its exact 95 % interval (order statistics, no
 * assumption on the distribution). Fewer than 6 values have no such interval; then it gives their range. */
struct results_spread results_spread(double *values, size_t count);

/* results_median sorts the values; NAN of none. */
double results_median(double *values, size_t count);

/* results_ranks: between which of `count` sorted values the true quantile lies with at least 95 %, whatever their
 * distribution: *low and *high, numbers from 0. False: so few values have no lower bound. *high may be `count`: they
 * have no upper one. */
bool results_ranks(size_t count, double fraction, size_t *low, size_t *high);

/* Wilcoxon's signed-rank test of differences that are symmetric around their median. Differences of 0 are left out, as
 * Wilcoxon did; equal ones have the mean of their ranks. The chances are exact, with equal ranks too: of all the ways
 * to give these very ranks a sign, the share that is as extreme. So there is no correction for anything. */
struct results_signed_ranks {
    size_t count, zeros; /* that were ranked, that were left out */
    double positive;     /* the sum of the ranks of those above 0 */
    double greater;      /* one-sided: how likely this sum or a larger one is, if the median is 0; 1 of nothing */
    double less;         /* or this sum or a smaller one */
};

/* 0 or -ENOMEM. It takes time with the third power of the count: 30 are nothing, 1000 a second. */
int results_signed_ranks(struct results_signed_ranks *out, const double *differences, size_t count);

/* results_holm adjusts the chances of several tests of one question (Holm, 1979: step by step from the smallest): who
 * calls those at most 0.05 significant is wrong about any of them in one question of twenty. */
void results_holm(const double *chances, size_t count, double *adjusted);

/* results_fisher compares two shares (Fisher's exact test, one-sided): how likely it is that of all that have a mark so
 * many or more are among the first `of`, if nothing but chance dealt them out to both. 1 if there is none. */
double results_fisher(size_t marked, size_t of, size_t other_marked, size_t other_of);

/* results_shift is the estimate that belongs to the signed ranks: the median of the means of all pairs, each value with
 * itself too (Hodges and Lehmann, 1963). NAN of nothing. 0 or -ENOMEM. */
int results_shift(double *out, const double *values, size_t count);

/* An interval by resampling: as many values are drawn, with replacement, as there are, and the statistic is taken of
 * those, RESULTS_DRAWS times; the interval leaves out the same share at both ends (percentile bootstrap). */
enum { RESULTS_DRAWS = 2000 };

struct results_resampling {
    size_t count, other_count; /* of one sample, and of a second one that is independent of it; 0: there is none */
    /* Of values that were drawn: `drawn` has count numbers below count, `other` likewise. NAN: it has none of these. */
    double (*statistic)(void *context, const size_t *drawn, const size_t *other);
    void *context;
    uint64_t seed;
};

struct results_interval {
    double low, high; /* NAN: fewer than 6 values (of either sample), or a drawing without statistic */
};

/* 0 or -ENOMEM; `share` is that of the drawings within: 0.95. */
int results_resample(struct results_interval *out, const struct results_resampling *resampling, double share);

#endif
