#include <cases.h>

#include <math.h>
#include <string.h>

#include "../command/statistics.h"

static void median_of_nothing_odd_even(void **state)
{
    double odd[] = {9, 1, 5}, even[] = {4, 1, 3, 100};
    (void)state;
    assert_true(isnan(statistics_median(NULL, 0)));
    assert_true(statistics_median(odd, 1) == 9);
    assert_true(statistics_median(odd, 3) == 5);
    assert_true(statistics_median(even, 4) == 3.5);
}

static void pairs_need_block_and_placement(void **state)
{
    const struct sample a[] = {
        {0, "cluster", 10}, {1, "cluster", 20}, {2, "mixed", 30}, {3, NULL, 40}, {4, "distant", 50}};
    const struct sample b[] = {{0, "cluster", 5}, {1, "distant", 5}, {2, "mixed", 5}, {3, NULL, 5}, {4, "distant", 10}};
    double ratios[5];
    (void)state;
    assert_int_equal(statistics_pair(a, 5, b, 5, ratios), 2);
    assert_true(ratios[0] == 2 && ratios[1] == 5);
}

static void a_pair_is_made_once_and_never_by_zero(void **state)
{
    const struct sample a[] = {{0, "cluster", 10}}, b[] = {{0, "cluster", 5}, {0, "cluster", 2}},
                        zero[] = {{0, "cluster", 0}};
    double ratios[1];
    (void)state;
    assert_int_equal(statistics_pair(a, 1, b, 2, ratios), 1);
    assert_true(ratios[0] == 2);
    assert_int_equal(statistics_pair(a, 1, zero, 1, ratios), 0);
}

/* From tables of the sign test. */
static void median_lies_between_ranks(void **state)
{
    size_t low, high;
    (void)state;
    assert_false(statistics_median_ranks(0, &low, &high));
    assert_false(statistics_median_ranks(5, &low, &high));
    assert_true(statistics_median_ranks(6, &low, &high) && low == 0 && high == 5);
    assert_true(statistics_median_ranks(10, &low, &high) && low == 1 && high == 8);
    assert_true(statistics_median_ranks(20, &low, &high) && low == 5 && high == 14);
    assert_true(statistics_median_ranks(30000, &low, &high) && low > 14800 && high < 15200 && low < high);
}

/* From the binomial distribution: of 368 values the largest is above the p99 with 97.5 % confidence, of 367 it is not.
 */
static void quantile_has_an_interval_of_its_own(void **state)
{
    size_t low, high;
    (void)state;
    assert_false(statistics_quantile_ranks(1, 0.99, &low, &high));
    assert_true(statistics_quantile_ranks(200, 0.99, &low, &high) && low == 194 && high == 200);
    assert_true(statistics_quantile_ranks(367, 0.99, &low, &high) && high == 367);
    assert_true(statistics_quantile_ranks(368, 0.99, &low, &high) && high == 367);
    assert_true(statistics_quantile_ranks(2400, 0.99, &low, &high) && low == 2365 && high == 2385);
}

static void percentile_needs_hundred_beyond(void **state)
{
    (void)state;
    assert_true(statistics_percentile_holds(50, 200));
    assert_false(statistics_percentile_holds(50, 199));
    assert_true(statistics_percentile_holds(99, 10000));
    assert_false(statistics_percentile_holds(99, 9999));
    assert_true(statistics_percentile_holds(99.9, 100000)); /* 100 - 99.9 is not exactly 0.1 */
    assert_false(statistics_percentile_holds(99.9, 99999));
}

static void shuffle_follows_from_seed_and_block(void **state)
{
    unsigned first[20], again[20], other_block[20], other_seed[20], seen[20] = {0};
    (void)state;
    statistics_shuffle(first, 20, 7, 3);
    statistics_shuffle(again, 20, 7, 3);
    statistics_shuffle(other_block, 20, 7, 4);
    statistics_shuffle(other_seed, 20, 8, 3);
    assert_memory_equal(first, again, sizeof first);
    assert_memory_not_equal(first, other_block, sizeof first);
    assert_memory_not_equal(first, other_seed, sizeof first);
    for (int i = 0; i < 20; ++i)
        ++seen[first[i]];
    for (int i = 0; i < 20; ++i)
        assert_int_equal(seen[i], 1);
}

/* 6000 shuffles of three things: each of the six orders about 1000 times (standard deviation 29). */
static void shuffle_is_fair(void **state)
{
    unsigned counts[27] = {0};
    (void)state;
    for (unsigned block = 0; block < 6000; ++block) {
        unsigned order[3];
        statistics_shuffle(order, 3, 42, block);
        ++counts[order[0] * 9 + order[1] * 3 + order[2]];
    }
    for (unsigned i = 0; i < 27; ++i)
        if (counts[i] > 0)
            assert_in_range(counts[i], 860, 1140);
    assert_true(counts[0 * 9 + 1 * 3 + 2] > 0 && counts[2 * 9 + 1 * 3 + 0] > 0);
}

CASES_MAIN(CASE(median_of_nothing_odd_even), CASE(pairs_need_block_and_placement),
           CASE(a_pair_is_made_once_and_never_by_zero), CASE(median_lies_between_ranks),
           CASE(quantile_has_an_interval_of_its_own), CASE(percentile_needs_hundred_beyond),
           CASE(shuffle_follows_from_seed_and_block), CASE(shuffle_is_fair))
