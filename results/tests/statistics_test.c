/* Medians, intervals and Holm's adjustment, against full counts and what must hold for any values. */
#include "drawn.h"

#include "analysis/statistics.h"

#include <errno.h>
#include <stdlib.h>

/* The first by hand: 4 x 0.005, 3 x 0.01, 2 x 0.03, and never less than a smaller one's. The second is in the
 * documentation of stdlib's padjust, which does as R's p.adjust does. */
static void holm_adjusts_as_defined(void **state)
{
    static const double four[] = {0.01, 0.04, 0.03, 0.005}, four_adjusted[] = {0.03, 0.06, 0.06, 0.02};
    static const double five[] = {0.319, 0.201, 0.4, 0.374, 0.113},
                        five_adjusted[] = {0.957, 0.804, 0.957, 0.957, 0.565};
    double adjusted[5];
    (void)state;
    results_holm(four, 4, adjusted);
    for (size_t i = 0; i < 4; ++i)
        near(adjusted[i], four_adjusted[i], 1e-12, "of four");
    results_holm(five, 5, adjusted);
    for (size_t i = 0; i < 5; ++i)
        near(adjusted[i], five_adjusted[i], 1e-12, "of five");
}

/* Holm (1979): reject the smallest while it is at most alpha by the number of those that are left. */
static size_t rejected(const double *sorted, size_t count, double alpha)
{
    size_t done = 0;
    while (done < count && sorted[done] <= alpha / (double)(count - done))
        ++done;
    return done;
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void holm_rejects_what_its_steps_reject(void **state)
{
    (void)state;
    for (int round = 0; round < 200; ++round) {
        double chances[6], adjusted[6];
        size_t count = 1 + (size_t)(uniform() * 6), significant = 0;
        for (size_t i = 0; i < count; ++i)
            chances[i] = round % 3 ? uniform() * 0.1 : floor(uniform() * 4) * 0.011;
        results_holm(chances, count, adjusted);
        for (size_t i = 0; i < count; ++i) {
            significant += adjusted[i] <= 0.05;
            assert_true(adjusted[i] >= chances[i] && adjusted[i] <= fmin(1, chances[i] * (double)count));
        }
        qsort(chances, count, sizeof *chances, by_value);
        assert_int_equal(significant, rejected(chances, count, 0.05));
    }
}

/* Fisher's own example (The Design of Experiments, 1935): of eight cups four had the milk in first, and all were named;
 * or three of the four. */
static void a_lady_tastes_tea(void **state)
{
    (void)state;
    near(results_fisher(4, 4, 0, 4), 1.0 / 70, 1e-12, "all");
    near(results_fisher(3, 4, 1, 4), 17.0 / 70, 1e-12, "three");
    near(results_fisher(0, 4, 4, 4), 1, 1e-12, "none");
    near(results_fisher(0, 12, 0, 24), 1, 1e-12, "none of either");
}

/* Against all ways to choose who has a mark. */
static void shares_are_compared_exactly(void **state)
{
    enum { FIRST = 5, ALL = 11 };
    (void)state;
    for (unsigned marked = 0; marked <= ALL; ++marked)
        for (size_t mine = 0; mine <= FIRST && mine <= marked; ++mine) {
            size_t ways = 0, as_many = 0;
            if (marked - mine > ALL - FIRST)
                continue;
            for (unsigned set = 0; set < 1u << ALL; ++set) {
                if ((unsigned)__builtin_popcount(set) != marked)
                    continue;
                ++ways;
                as_many += (size_t)__builtin_popcount(set & ((1u << FIRST) - 1)) >= mine;
            }
            near(results_fisher(mine, FIRST, marked - mine, ALL - FIRST), (double)as_many / (double)ways, 1e-12,
                 "counted");
        }
}

/* Counted: the largest rank, from 1, that so many tosses of a coin have fewer heads than in at most 25 of 1000 cases;
 * the upper end mirrors it. */
static void a_median_lies_between_ranks(void **state)
{
    static const struct {
        size_t count, rank;
    } table[] = {{6, 1},  {7, 1},  {8, 1},  {9, 2},  {10, 2}, {11, 2}, {12, 3}, {13, 3}, {14, 3},
                 {15, 4}, {16, 4}, {17, 5}, {18, 5}, {19, 5}, {20, 6}, {25, 8}, {30, 10}};
    size_t low, high;
    (void)state;
    for (size_t i = 0; i < COUNT(table); ++i) {
        assert_true(results_ranks(table[i].count, 0.5, &low, &high));
        assert_int_equal(low + 1, table[i].rank);
        assert_int_equal(high, table[i].count - table[i].rank);
    }
    assert_false(results_ranks(0, 0.5, &low, &high));
    assert_false(results_ranks(5, 0.5, &low, &high));
    assert_true(results_ranks(30000, 0.5, &low, &high) && low > 14800 && high < 15200 && low < high);
}

/* From the binomial distribution: of 368 values the largest is above the p99 with 97.5 %, of 367 it is not. */
static void another_quantile_has_an_interval_of_its_own(void **state)
{
    size_t low, high;
    (void)state;
    assert_false(results_ranks(1, 0.99, &low, &high));
    assert_true(results_ranks(200, 0.99, &low, &high) && low == 194 && high == 200);
    assert_true(results_ranks(367, 0.99, &low, &high) && high == 367);
    assert_true(results_ranks(368, 0.99, &low, &high) && high == 367);
    assert_true(results_ranks(2400, 0.99, &low, &high) && low == 2365 && high == 2385);
}

static void a_spread_is_a_median_and_its_interval(void **state)
{
    double values[] = {9, 1, 8, 2, 7, 3, 6, 4, 5};
    struct results_spread spread = results_spread(values, 9);
    (void)state;
    assert_true(spread.median == 5 && spread.low == 2 && spread.high == 8 && spread.interval);
    spread = results_spread(values, 8); /* sorted by now: 1 to 8 */
    assert_true(spread.median == 4.5 && spread.low == 1 && spread.high == 8 && spread.interval);
    spread = results_spread(values, 5);
    assert_true(spread.median == 3 && spread.low == 1 && spread.high == 5 && !spread.interval);
    assert_true(isnan(results_spread(NULL, 0).median) && isnan(results_spread(NULL, 0).low));
}

struct sample {
    const double *values;
    double *drawn;
    size_t count;
};

static double median_of(void *context, const size_t *drawn, const size_t *other)
{
    struct sample *sample = context;
    (void)other;
    for (size_t i = 0; i < sample->count; ++i)
        sample->drawn[i] = sample->values[drawn[i]];
    return results_median(sample->drawn, sample->count);
}

static int resample_median(struct results_interval *out, const double *values, size_t count, double share,
                           uint64_t seed)
{
    struct sample sample = {values, calloc(count + 1, sizeof(double)), count};
    struct results_resampling resampling = {.count = count, .statistic = median_of, .context = &sample, .seed = seed};
    int error = sample.drawn ? results_resample(out, &resampling, share) : -ENOMEM;
    free(sample.drawn);
    return error;
}

/* Of samples from a distribution whose median is 1: how often the interval holds it. The rank interval holds it in 95 %
 * at least; drawing anew is a little too narrow when the values are few. */
static void intervals_hold_the_median(void **state)
{
    enum { TRIALS = 300, VALUES = 20 };
    unsigned by_drawing = 0, by_rank = 0;
    (void)state;
    for (unsigned trial = 0; trial < TRIALS; ++trial) {
        double values[VALUES];
        struct results_interval interval;
        struct results_spread spread;
        for (size_t i = 0; i < VALUES; ++i)
            values[i] = exp(0.3 * normal());
        assert_int_equal(resample_median(&interval, values, VALUES, 0.95, trial), 0);
        spread = results_spread(values, VALUES);
        by_drawing += interval.low <= 1 && interval.high >= 1;
        by_rank += spread.low <= 1 && spread.high >= 1;
        assert_true(interval.low <= spread.median && interval.high >= spread.median);
    }
    assert_in_range(by_drawing, TRIALS * 90 / 100, TRIALS * 98 / 100);
    assert_in_range(by_rank, TRIALS * 93 / 100, TRIALS);
}

static void drawing_anew_follows_from_the_seed(void **state)
{
    double values[12], scaled[12];
    struct results_interval first, again, other, wide, narrow;
    (void)state;
    for (size_t i = 0; i < 12; ++i) {
        values[i] = uniform();
        scaled[i] = values[i] * 4;
    }
    assert_int_equal(resample_median(&first, values, 12, 0.95, 7), 0);
    assert_int_equal(resample_median(&again, values, 12, 0.95, 7), 0);
    assert_true(first.low == again.low && first.high == again.high);
    assert_int_equal(resample_median(&other, scaled, 12, 0.95, 7), 0);
    assert_true(other.low == first.low * 4 && other.high == first.high * 4);
    assert_int_equal(resample_median(&wide, values, 12, 0.999, 7), 0);
    assert_int_equal(resample_median(&narrow, values, 12, 0.5, 7), 0);
    assert_true(wide.low <= first.low && first.low < narrow.low && narrow.high < first.high && first.high <= wide.high);
    assert_int_equal(resample_median(&first, values, 5, 0.95, 7), 0);
    assert_true(isnan(first.low) && isnan(first.high));
}

struct means {
    const double *own, *other;
    size_t count, other_count;
    uint64_t seen;
};

static double difference_of_means(void *context, const size_t *drawn, const size_t *other)
{
    struct means *means = context;
    double own = 0, theirs = 0;
    for (size_t i = 0; i < means->count; ++i) {
        assert_true(drawn[i] < means->count);
        means->seen |= (uint64_t)1 << drawn[i];
        own += means->own[drawn[i]];
    }
    for (size_t i = 0; i < means->other_count; ++i) {
        assert_true(other[i] < means->other_count);
        means->seen |= (uint64_t)1 << (32 + other[i]);
        theirs += means->other[other[i]];
    }
    return own / (double)means->count - theirs / (double)means->other_count;
}

/* A mean of n values has the deviation of one by the root of n: so the interval of a difference of means is known. */
static void two_samples_are_drawn_apart(void **state)
{
    double own[30], other[20], expected;
    struct means means = {own, other, 30, 20, 0};
    struct results_resampling resampling = {
        .count = 30, .other_count = 20, .statistic = difference_of_means, .context = &means, .seed = 3};
    struct results_interval interval;
    (void)state;
    for (size_t i = 0; i < 30; ++i)
        own[i] = i % 2 ? 11 : 9;
    for (size_t i = 0; i < 20; ++i)
        other[i] = i % 2 ? 2 : -2;
    assert_int_equal(results_resample(&interval, &resampling, 0.95), 0);
    expected = 1.96 * sqrt(1.0 / 30 + 4.0 / 20);
    near(interval.low, 10 - expected, 0.1, "lower end");
    near(interval.high, 10 + expected, 0.1, "upper end");
    assert_true(means.seen == ((((uint64_t)1 << 20) - 1) << 32 | (((uint64_t)1 << 30) - 1)));
}

CASES_MAIN(CASE(a_lady_tastes_tea), CASE(shares_are_compared_exactly), CASE(holm_adjusts_as_defined),
           DRAWN(holm_rejects_what_its_steps_reject), CASE(a_median_lies_between_ranks),
           CASE(another_quantile_has_an_interval_of_its_own), CASE(a_spread_is_a_median_and_its_interval),
           DRAWN(intervals_hold_the_median), DRAWN(drawing_anew_follows_from_the_seed),
           DRAWN(two_samples_are_drawn_apart))
