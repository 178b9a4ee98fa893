/* The signed-rank test and its estimate, against full counts, against examples of R, and against what must hold for any
 * values. */
#include "drawn.h"

#include "analysis/statistics.h"

#include <stdlib.h>

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

/* How many of all 2^n ways to choose among 1 … n have this sum or less: whole numbers, so exact. */
static double counted(size_t n, size_t sum)
{
    uint32_t ways[25 * 26 / 2 + 1] = {1}, upto = 0;
    assert_true(n <= 25);
    for (size_t rank = 1; rank <= n; ++rank)
        for (size_t i = n * (n + 1) / 2; i >= rank; --i)
            ways[i] += ways[i - rank];
    for (size_t i = 0; i <= sum; ++i)
        upto += ways[i];
    return upto;
}

/* The largest sum whose one-sided chance is not above the level, as tables of this test print them. -1: none is. */
static void critical_sums_are_counted(void **state)
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
    for (size_t n = 1; n <= 25; ++n)
        for (size_t sum = 0; sum <= n * (n + 1) / 2; ++sum)
            near(with_sum(n, sum).less, counted(n, sum) / (double)(1u << n), 1e-12, "counted");
}

/* Without ties. */
static void chances_are_those_of_examples(void **state)
{
    /* The example of R's wilcox.test, first less second visit: by R's regression tests p = 0.0391 on both sides (10 of
     * 512 ways on one), and a shift of 0.46. */
    static const double depression[] = {0.952, -0.147, 1.022, 0.430, 0.620, 0.590, 0.490, -0.080, 0.010};
    /* By hand: only 3 and 1 have a minus; 7 of 256 ways have no more. */
    static const double nursery[] = {19, 27, -1, 6, 7, 13, -4, 3};
    struct results_signed_ranks ranks = ranks_of(depression, 9);
    double shift;
    (void)state;
    near(ranks.positive, 40, 0, "depression, sum");
    near(ranks.greater, 10.0 / 512, 1e-15, "depression, chance");
    assert_int_equal(results_shift(&shift, depression, 9), 0);
    near(shift, 0.46, 5e-3, "depression, shift");
    ranks = ranks_of(nursery, 8);
    near(ranks.positive, 32, 0, "nursery, sum");
    near(ranks.greater, 7.0 / 256, 1e-15, "nursery, chance");
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

/* By its definition: of all 2^n ways to give the ranks a sign, zeros left out, how many have as large a sum or a larger
 * one. */
static double share_of_signs(const double *all, size_t all_count)
{
    double differences[16], sum;
    size_t count = 0;
    unsigned own = 0, as_large = 0;
    for (size_t i = 0; i < all_count; ++i)
        if (all[i] != 0) {
            own |= all[i] > 0 ? 1u << count : 0;
            differences[count++] = all[i];
        }
    sum = sum_of_plus(differences, count, own);
    for (unsigned signs = 0; signs < 1u << count; ++signs)
        as_large += sum_of_plus(differences, count, signs) >= sum;
    return as_large / (double)(1u << count);
}

/* With ties and zeros: counted, since R's wilcox.test has an estimate for these. */
static void chances_are_exact_with_ties_and_zeros(void **state)
{
    static const double sample[] = {136, 103, 91, 122, 96, 145, 140, 138, 126, 120, 99, 125, 91, 142, 119, 137};
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
    near(ranks.greater, share_of_signs(differences, 16), 1e-12, "chance");
    for (size_t i = 0; i < 15; ++i)
        differences[i] = before[i] - after[i];
    ranks = ranks_of(differences, 15);
    assert_int_equal(ranks.zeros, 5);
    assert_int_equal(ranks.count, 10);
    near(ranks.positive, 13, 0, "sum");
    near(ranks.greater, share_of_signs(differences, 15), 1e-12, "chance");
}

static void chances_are_those_of_all_signs(void **state)
{
    (void)state;
    for (int round = 0; round < 40; ++round) {
        double differences[9];
        size_t count = 1 + (size_t)(uniform() * 9);
        unsigned own = 0;
        for (size_t i = 0; i < count; ++i) {
            differences[i] = (floor(uniform() * 5) + 1) * (uniform() < 0.5 ? -1 : 1);
            own |= differences[i] > 0 ? 1u << i : 0;
        }
        near(ranks_of(differences, count).positive, sum_of_plus(differences, count, own), 0, "sum");
        near(ranks_of(differences, count).greater, share_of_signs(differences, count), 1e-12, "chance");
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

CASES_MAIN(CASE(critical_sums_are_counted), CASE(chances_are_those_of_examples),
           CASE(chances_are_exact_with_ties_and_zeros), DRAWN(chances_are_those_of_all_signs),
           DRAWN(signed_ranks_mind_order_and_sign_only), DRAWN(shift_is_where_the_values_are),
           DRAWN(shift_is_the_median_of_all_means))
