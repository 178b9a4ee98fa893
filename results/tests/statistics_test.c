/* The statistics against tables and examples that were published, and against what must hold for any values. */
#include "cases.h"

#include "analysis/statistics.h"

#include <math.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static uint64_t random_state;

static double uniform(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (double)(random_state >> 11) / 9007199254740992.0;
}

static double normal(void)
{
    return sqrt(-2 * log(1 - uniform())) * cos(6.283185307179586 * uniform());
}

static int begin(void **state)
{
    random_state = 0x1234567812345678;
    return cases_before(state);
}

static void near(double value, double wanted, double by, const char *what)
{
    if (!(fabs(value - wanted) <= by))
        fail_msg("%s: %.9g instead of %.9g", what, value, wanted);
}

static struct results_signed_ranks ranks_of(const double *differences, size_t count)
{
    struct results_signed_ranks ranks;
    assert_int_equal(results_signed_ranks(&ranks, differences, count), 0);
    return ranks;
}

/* Differences 1 … n, of which those with a plus add up to `sum`. */
static struct results_signed_ranks with_sum(size_t count, size_t sum)
{
    double differences[64];
    for (size_t rank = count; rank > 0; --rank) {
        differences[rank - 1] = rank <= sum ? (double)rank : -(double)rank;
        sum -= rank <= sum ? rank : 0;
    }
    assert_int_equal(sum, 0);
    return ranks_of(differences, count);
}

/* R. L. McCornack, Extended tables of the Wilcoxon matched pair signed rank statistic (JASA 60, 1965), which has the
 * largest sum whose one-sided chance is not above the level; Wilcoxon's own tables (1945, 1947) have the nearest. -1:
 * no sum is small enough. */
static void critical_sums_are_those_of_the_tables(void **state)
{
    static const double levels[] = {0.05, 0.025, 0.01, 0.005};
    static const int sums[][4] = {
        {0, -1, -1, -1},  {2, 0, -1, -1},   {3, 2, 0, -1},    {5, 3, 1, 0},     {8, 5, 3, 1},     {10, 8, 5, 3},
        {13, 10, 7, 5},   {17, 13, 9, 7},   {21, 17, 12, 9},  {25, 21, 15, 12}, {30, 25, 19, 15}, {35, 29, 23, 19},
        {41, 34, 27, 23}, {47, 40, 32, 27}, {53, 46, 37, 32}, {60, 52, 43, 37}, {67, 58, 49, 42}, {75, 65, 55, 48},
        {83, 73, 62, 54}, {91, 81, 69, 61}, {100, 89, 76, 68}};
    (void)state;
    for (size_t i = 0; i < COUNT(sums); ++i)
        for (size_t j = 0; j < COUNT(levels); ++j) {
            if (sums[i][j] >= 0)
                assert_true(with_sum(i + 5, (size_t)sums[i][j]).less <= levels[j]);
            if (with_sum(i + 5, (size_t)(sums[i][j] + 1)).less <= levels[j])
                fail_msg("n = %zu: %d is significant at %g", i + 5, sums[i][j] + 1, levels[j]);
        }
}

/* Without ties, as R's wilcox.test has them. */
static void chances_are_those_of_R(void **state)
{
    /* Hollander and Wolfe (1973), p. 29: depression scale factors, the example of R's wilcox.test: V = 40, one-sided p
     * = 0.01953, shift 0.46. */
    static const double depression[] = {0.952, -0.147, 1.022, 0.430, 0.620, 0.590, 0.490, -0.080, 0.010};
    /* Siegel (1956), the example of NAG's g08agc: W = 32, two-sided p = 0.0547. */
    static const double nursery[] = {19, 27, -1, 6, 7, 13, -4, 3};
    struct results_signed_ranks ranks = ranks_of(depression, 9);
    double shift;
    (void)state;
    near(ranks.positive, 40, 0, "depression, sum");
    near(ranks.greater, 0.01953, 5e-6, "depression, chance");
    assert_int_equal(results_shift(&shift, depression, 9), 0);
    near(shift, 0.46, 5e-3, "depression, shift");
    ranks = ranks_of(nursery, 8);
    near(ranks.positive, 32, 0, "nursery, sum");
    near(2 * ranks.greater, 0.0547, 5e-5, "nursery, chance");
}

/* With ties and zeros: R's exactRankTests gives the exact chance, R's wilcox.test one of the normal distribution. */
static void chances_are_exact_with_ties_and_zeros(void **state)
{
    /* R-help, 9 February 2010: mu = 119, one zero: wilcox.exact: V = 65.5, p = 0.771. */
    static const double sample[] = {136, 103, 91, 122, 96, 145, 140, 138, 126, 120, 99, 125, 91, 142, 119, 137};
    /* Bortz, Lienert and Boehnke, in R-help, 25 August 2006: wilcox.exact: V = 13, p = 0.1367; wilcox.test: 0.1436. */
    static const double before[] = {9, 14, 8, 11, 14, 10, 8, 14, 12, 14, 13, 9, 15, 12, 9};
    static const double after[] = {13, 15, 9, 12, 16, 10, 8, 13, 12, 16, 9, 10, 16, 12, 9};
    double differences[16];
    struct results_signed_ranks ranks;
    (void)state;
    for (size_t i = 0; i < 16; ++i)
        differences[i] = sample[i] - 119;
    ranks = ranks_of(differences, 16);
    assert_int_equal(ranks.zeros, 1);
    near(ranks.positive, 65.5, 0, "sum");
    near(2 * ranks.greater, 0.771, 5e-4, "chance");
    for (size_t i = 0; i < 15; ++i)
        differences[i] = before[i] - after[i];
    ranks = ranks_of(differences, 15);
    assert_int_equal(ranks.zeros, 5);
    assert_int_equal(ranks.count, 10);
    near(ranks.positive, 13, 0, "sum");
    near(2 * ranks.less, 0.1367, 5e-5, "chance");
}

static double sum_of_plus(const double *differences, size_t count, unsigned signs)
{
    double sum = 0;
    for (size_t i = 0; i < count; ++i) {
        double rank = 0.5;
        for (size_t j = 0; j < count; ++j)
            rank += fabs(differences[j]) < fabs(differences[i])   ? 1
                    : fabs(differences[j]) > fabs(differences[i]) ? 0
                                                                  : 0.5;
        sum += signs >> i & 1 ? rank : 0;
    }
    return sum;
}

/* By its definition: all 2^n ways to give the ranks a sign. */
static void chances_are_those_of_all_signs(void **state)
{
    (void)state;
    for (int round = 0; round < 40; ++round) {
        double differences[9];
        size_t count = 1 + (size_t)(uniform() * 9);
        unsigned own = 0, as_large = 0;
        for (size_t i = 0; i < count; ++i) {
            differences[i] = (floor(uniform() * 5) + 1) * (uniform() < 0.5 ? -1 : 1);
            own |= differences[i] > 0 ? 1u << i : 0;
        }
        for (unsigned signs = 0; signs < 1u << count; ++signs)
            as_large += sum_of_plus(differences, count, signs) >= sum_of_plus(differences, count, own);
        near(ranks_of(differences, count).positive, sum_of_plus(differences, count, own), 0, "sum");
        near(ranks_of(differences, count).greater, as_large / (double)(1u << count), 1e-12, "chance");
    }
}

static void signed_ranks_mind_order_and_sign_only(void **state)
{
    (void)state;
    for (int round = 0; round < 50; ++round) {
        double own[30], scaled[30], mirrored[30], larger[30];
        size_t count = 1 + (size_t)(uniform() * 30), raised = (size_t)(uniform() * (double)count);
        struct results_signed_ranks ranks, other;
        for (size_t i = 0; i < count; ++i) {
            own[i] = larger[i] = round % 2 ? normal() : floor(normal() * 8);
            scaled[count - 1 - i] = own[i] * 1024;
            mirrored[i] = -own[i];
        }
        larger[raised] += 1;
        ranks = ranks_of(own, count);
        other = ranks_of(scaled, count);
        assert_true(ranks.greater == other.greater && ranks.positive == other.positive);
        other = ranks_of(mirrored, count);
        near(other.greater, ranks.less, 1e-12, "mirrored");
        assert_true(other.positive + ranks.positive == (double)(ranks.count * (ranks.count + 1)) / 2);
        assert_true(ranks.greater + ranks.less >= 1);
        assert_true(round % 2 == 0 || ranks_of(larger, count).greater <= ranks.greater + 1e-12);
    }
    assert_true(ranks_of(NULL, 0).greater == 1 && ranks_of((double[]){0, 0}, 2).greater == 1);
    near(ranks_of((double[]){1, 2, 3, 4, 5, 6}, 6).greater, 1.0 / 64, 0, "six of six"); /* just below 0.05 / 3 */
}

static void shift_is_where_the_values_are(void **state)
{
    (void)state;
    for (int round = 0; round < 50; ++round) {
        double own[15], moved[15], mirrored[15], shift, other;
        size_t count = 1 + (size_t)(uniform() * 15);
        for (size_t i = 0; i < count; ++i) {
            own[i] = floor(normal() * 64);
            moved[i] = own[i] + 5;
            mirrored[i] = -own[i];
        }
        assert_int_equal(results_shift(&shift, own, count), 0);
        assert_int_equal(results_shift(&other, moved, count), 0);
        assert_true(other == shift + 5);
        assert_int_equal(results_shift(&other, mirrored, count), 0);
        assert_true(other == -shift);
    }
}

/* Sorted, for comparison; of many values, and of many that are equal. */
static void shift_is_the_median_of_all_means(void **state)
{
    enum { MOST = 66 };
    static double means[MOST * (MOST + 1) / 2];
    (void)state;
    for (int round = 0; round < 100; ++round) {
        double values[MOST], shift;
        size_t count = 1 + (size_t)(uniform() * MOST), made = 0;
        for (size_t i = 0; i < count; ++i)
            values[i] = round % 2 == 0 ? normal() : floor(normal());
        for (size_t i = 0; i < count; ++i)
            for (size_t j = i; j < count; ++j)
                means[made++] = (values[i] + values[j]) / 2;
        assert_int_equal(results_shift(&shift, values, count), 0);
        assert_true(shift == results_median(means, made));
    }
    double shift;
    assert_int_equal(results_shift(&shift, NULL, 0), 0);
    assert_true(isnan(shift));
}

/* The example of many texts, and one of stdlib's padjust, which does as R's p.adjust does. */
static void holm_adjusts_as_published(void **state)
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

/* From tables of the sign test (K. R. Nair, 1940): the number of the lower end, from 1; the upper one mirrors it. */
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
        assert_int_equal(results_resample_median(&interval, values, VALUES, 0.95, trial), 0);
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
    assert_int_equal(results_resample_median(&first, values, 12, 0.95, 7), 0);
    assert_int_equal(results_resample_median(&again, values, 12, 0.95, 7), 0);
    assert_true(first.low == again.low && first.high == again.high);
    assert_int_equal(results_resample_median(&other, scaled, 12, 0.95, 7), 0);
    assert_true(other.low == first.low * 4 && other.high == first.high * 4);
    assert_int_equal(results_resample_median(&wide, values, 12, 0.999, 7), 0);
    assert_int_equal(results_resample_median(&narrow, values, 12, 0.5, 7), 0);
    assert_true(wide.low <= first.low && first.low < narrow.low && narrow.high < first.high && first.high <= wide.high);
    assert_int_equal(results_resample_median(&first, values, 5, 0.95, 7), 0);
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

#define DRAWN(function)                                                                                                \
    {                                                                                                                  \
#function, function, begin, cases_after, NULL                                                                  \
    }

CASES_MAIN(CASE(critical_sums_are_those_of_the_tables), CASE(chances_are_those_of_R),
           CASE(chances_are_exact_with_ties_and_zeros), DRAWN(chances_are_those_of_all_signs),
           DRAWN(signed_ranks_mind_order_and_sign_only), DRAWN(shift_is_where_the_values_are),
           DRAWN(shift_is_the_median_of_all_means), CASE(holm_adjusts_as_published),
           DRAWN(holm_rejects_what_its_steps_reject), CASE(a_median_lies_between_ranks),
           CASE(another_quantile_has_an_interval_of_its_own), CASE(a_spread_is_a_median_and_its_interval),
           DRAWN(intervals_hold_the_median), DRAWN(drawing_anew_follows_from_the_seed),
           DRAWN(two_samples_are_drawn_apart))
