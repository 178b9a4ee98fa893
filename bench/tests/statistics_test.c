#include <cases.h>

#include <math.h>
#include <string.h>

#include <ipcmark/random.h>

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

/* The first numbers after 1234567, as in others' implementations of it: a run is gone on with by another build. */
static void random_is_splitmix64(void **state)
{
    static const uint64_t numbers[] = {6457827717110365317u, 3203168211198807973u, 9817491932198370423u,
                                       4593380528125082431u, 16408922859458223821u};
    uint64_t random = 1234567;
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; ++i)
        assert_true(ipcmark_random(&random) == numbers[i]);
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

CASES_MAIN(CASE(median_of_nothing_odd_even), CASE(percentile_needs_hundred_beyond),
           CASE(shuffle_follows_from_seed_and_block), CASE(random_is_splitmix64), CASE(shuffle_is_fair))
