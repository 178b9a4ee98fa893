/* What is measured, in which order, in how long: shards, budgets, blocks. Nothing is measured here. */
#include <cases.h>

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

#include "../command/budget.h"
#include "../command/order.h"

static struct options options_of(unsigned suites, unsigned blocks)
{
    return (struct options){.drivers = {"fifo", "base=tcp"},
                            .driver_count = 2,
                            .suites = suites,
                            .blocks = blocks,
                            .shard = {0, 1},
                            .seed = 7};
}

static void is_shard(const char *text, unsigned index, unsigned count)
{
    struct shard shard = {99, 99};

    assert_true(shard_parse(text, &shard));
    assert_true(shard.index == index && shard.count == count);
}

static void shards_are_read(void **state)
{
    static const char *const wrong[] = {"", "1", "0/4", "5/4", "1/0", "-1/4", " 1/4", "1/ 4", "1/4x", "1/99999", "a/b"};
    struct shard shard;
    (void)state;
    is_shard("1/1", 0, 1);
    is_shard("2/4", 1, 4);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; ++i)
        if (shard_parse(wrong[i], &shard))
            fail_msg("'%s' was taken for a shard", wrong[i]);
}

static void environment(const char *const *pairs)
{
    static const char *const all[] = {"GTEST_SHARD_INDEX",    "GTEST_TOTAL_SHARDS",    "SLURM_ARRAY_TASK_ID",
                                      "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_STEP", "SLURM_ARRAY_TASK_COUNT"};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; ++i)
        assert_int_equal(unsetenv(all[i]), 0);
    for (; *pairs != NULL; pairs += 2)
        assert_int_equal(setenv(pairs[0], pairs[1], 1), 0);
}
#define ENVIRONMENT(...) environment((const char *const[]){__VA_ARGS__, NULL})

static void environment_names_a_shard(void **state)
{
    struct shard shard = {0, 1};
    const char *variable;
    (void)state;
    environment((const char *const[]){NULL});
    assert_true(shard_of_environment(&shard, &variable) && variable == NULL && shard.count == 1);
    ENVIRONMENT("GTEST_SHARD_INDEX", "3", "GTEST_TOTAL_SHARDS", "4");
    assert_true(shard_of_environment(&shard, &variable));
    assert_true(shard.index == 3 && shard.count == 4);
    ENVIRONMENT("SLURM_ARRAY_TASK_ID", "7", "SLURM_ARRAY_TASK_MIN", "3", "SLURM_ARRAY_TASK_STEP", "2",
                "SLURM_ARRAY_TASK_COUNT", "5");
    assert_true(shard_of_environment(&shard, &variable));
    assert_true(shard.index == 2 && shard.count == 5);
    ENVIRONMENT("GTEST_TOTAL_SHARDS", "4");
    assert_false(shard_of_environment(&shard, &variable));
    assert_string_equal(variable, "GTEST_SHARD_INDEX");
    ENVIRONMENT("GTEST_SHARD_INDEX", "4", "GTEST_TOTAL_SHARDS", "4");
    assert_false(shard_of_environment(&shard, &variable));
    ENVIRONMENT("SLURM_ARRAY_TASK_ID", "7");
    assert_false(shard_of_environment(&shard, &variable));
    assert_string_equal(variable, "SLURM_ARRAY_TASK_ID");
}

/* So many that over all blocks 100 lie beyond the percentile that the suite is to show. */
static void latency_has_samples_for_its_percentiles(void **state)
{
    struct options options = options_of(SUITE_STANDARD, 12);
    struct row row;
    char text[512];
    (void)state;
    assert_true(options_samples(&options) * 12 >= 100000 && options_samples(&options) * 12 < 100012);
    options = options_of(SUITE_FULL, 24);
    assert_true(options_samples(&options) * 24 >= 1000000);
    assert_int_equal(row_parse(&row, "latency/fifo/64B/1x1/r10000", text, sizeof text), 0);
    assert_true(plan_cell_seconds(&row, &options) > 1e6 / 24 / 10000); /* and that it takes so long is known before */
    options.seconds = "0.1";
    assert_int_equal(options_samples(&options), 0); /* who says how long is believed */
    options = options_of(SUITE_QUICK, 3);
    assert_int_equal(options_samples(&options), 0);
}

static void shards_have_each_block_once(void **state)
{
    (void)state;
    for (unsigned blocks = 1; blocks < 30; ++blocks)
        for (unsigned count = 1; count <= blocks; ++count) {
            unsigned sum = 0;
            for (unsigned index = 0; index < count; ++index) {
                const struct shard shard = {index, count};
                unsigned own = 0;
                for (unsigned block = 0; block < blocks; ++block)
                    own += shard_has(&shard, block);
                assert_int_equal(own, shard_blocks(&shard, blocks));
                sum += own;
            }
            assert_int_equal(sum, blocks);
        }
}

static void order_keeps_alike_rows_together(void **state)
{
    struct options options = options_of(SUITE_STANDARD, 12);
    unsigned order[512], again[512], other[512], first_of_all = 0, base_first = 0;
    struct plan plan;
    (void)state;
    assert_int_equal(plan_make(&plan, &options), 0);
    assert_in_range(plan.count, 20, 512);
    for (unsigned block = 0; block < 200; ++block) {
        unsigned seen[512] = {0}, changes = 0, groups = 0;
        assert_int_equal(order_make(&plan, 7, block, order), 0);
        for (size_t i = 0; i < plan.count; ++i) {
            bool is_first = true;
            ++seen[order[i]];
            changes += i > 0 && !order_is_alike(&plan.rows[order[i - 1]], &plan.rows[order[i]]);
            for (size_t j = 0; j < i && is_first; ++j)
                is_first = !order_is_alike(&plan.rows[j], &plan.rows[i]);
            groups += is_first;
        }
        for (size_t i = 0; i < plan.count; ++i)
            assert_int_equal(seen[i], 1);
        assert_int_equal(changes, groups - 1);
        first_of_all += order[0] == 0;
        for (size_t i = 0; i + 1 < plan.count; ++i)
            if (plan.rows[order[i]].family == ROW_HOT && strcmp(plan.rows[order[i]].driver, "base") == 0 &&
                plan.rows[order[i]].size == 64 && order_is_alike(&plan.rows[order[i]], &plan.rows[order[i + 1]]))
                ++base_first;
    }
    assert_in_range(base_first, 60, 140); /* of 200 blocks: each of both drivers is first as often */
    assert_in_range(first_of_all, 0, 40);
    assert_int_equal(order_make(&plan, 7, 3, order), 0);
    assert_int_equal(order_make(&plan, 7, 3, again), 0);
    assert_int_equal(order_make(&plan, 8, 3, other), 0);
    assert_memory_equal(order, again, plan.count * sizeof *order);
    assert_memory_not_equal(order, other, plan.count * sizeof *order);
    plan_free(&plan);
}

static bool has(const struct plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->count; ++i)
        if (strcmp(plan->rows[i].name, name) == 0)
            return true;
    return false;
}

static void budget_takes_blocks_first(void **state)
{
    struct options options = options_of(SUITE_STANDARD, 12);
    struct budget budget;
    struct plan plan;
    size_t rows;
    (void)state;
    assert_int_equal(plan_make(&plan, &options), 0);
    rows = plan.count;
    assert_int_equal(budget_fit(&budget, &plan, &options), 0); /* of none */
    assert_true(budget.blocks == 12 && budget.rows == 0 && budget.dropped[0] == '\0');
    options.budget = budget_estimate(&plan, &options, 12);
    assert_int_equal(budget_fit(&budget, &plan, &options), 0);
    assert_int_equal(budget.blocks, 12);
    options.budget = budget_estimate(&plan, &options, 8) + 0.001;
    assert_int_equal(budget_fit(&budget, &plan, &options), 0);
    assert_true(budget.blocks == 8 && budget.rows == 0 && plan.count == rows);
    options.budget = budget_estimate(&plan, &options, 8) - 0.001;
    assert_int_equal(budget_fit(&budget, &plan, &options), 0);
    assert_true(budget.blocks == 7 && budget.rows == 0);
    options.shard = (struct shard){1, 4}; /* of which each has a fourth */
    assert_int_equal(budget_fit(&budget, &plan, &options), 0);
    assert_int_equal(budget.blocks, 12);
    plan_free(&plan);
}

static void then_rows_of_the_larger_suites(void **state)
{
    struct options options = options_of(SUITE_STANDARD, 12);
    struct budget budget;
    struct plan plan, quick;
    (void)state;
    assert_int_equal(plan_make(&plan, &options), 0);
    options.suites = SUITE_QUICK;
    assert_int_equal(plan_make(&quick, &options), 0);
    options.suites = SUITE_STANDARD;
    options.budget = budget_estimate(&plan, &options, 6) - 0.001; /* a little less than all rows take */
    assert_int_equal(budget_fit(&budget, &plan, &options), 0);
    assert_int_equal(budget.blocks, 6);
    assert_true(budget.rows >= 2 && strstr(budget.dropped, "/*/") != NULL);
    for (size_t i = 0; i < quick.count; ++i)
        if (!has(&plan, quick.rows[i].name))
            fail_msg("%s is in the quick suite as well, and went first", quick.rows[i].name);
    options.budget = budget_estimate(&quick, &options, 6) + 0.001;
    assert_int_equal(budget_fit(&budget, &plan, &options), 0);
    assert_int_equal(plan.count, quick.count);
    options.budget = 20;
    assert_int_equal(budget_fit(&budget, &plan, &options), 0);
    assert_true(budget_estimate(&plan, &options, budget.blocks) <= 20);
    assert_true(has(&plan, "hot/fifo/64B/1x1") && has(&plan, "hot/base/64B/1x1")); /* the first of --list */
    for (size_t i = 0; i < plan.count; ++i)
        if (!row_is_limit(&plan.rows[i]))
            assert_true(plan.rows[i].family == ROW_HOT || plan.rows[i].family == ROW_LATENCY);
    options.budget = 1;
    assert_int_equal(budget_fit(&budget, &plan, &options), -ETIME);
    assert_int_equal(plan.count, 2); /* one row of both drivers: to say how long that would take */
    plan_free(&quick);
    plan_free(&plan);
}

/* What one of them left out would be missing in the whole. */
static void shards_leave_out_the_same(void **state)
{
    enum { SHARDS = 7 };
    struct options options = options_of(SUITE_STANDARD, 12);
    (void)state;
    options.budget = 100;
    for (unsigned count = 2; count <= SHARDS; ++count) {
        struct plan first = {0};
        struct budget of_first = {0};
        for (unsigned index = 0; index < count; ++index) {
            struct plan plan;
            struct budget budget;
            options.shard = (struct shard){index, count};
            assert_int_equal(plan_make(&plan, &options), 0);
            assert_int_equal(budget_fit(&budget, &plan, &options), 0);
            assert_true(budget.blocks >= count && (budget.blocks < 12 || budget.rows > 0));
            if (index == 0) {
                first = plan;
                of_first = budget;
                continue;
            }
            assert_int_equal(budget.blocks, of_first.blocks);
            assert_string_equal(budget.dropped, of_first.dropped);
            assert_int_equal(plan.count, first.count);
            for (size_t i = 0; i < plan.count; ++i)
                assert_string_equal(plan.rows[i].name, first.rows[i].name);
            plan_free(&plan);
        }
        plan_free(&first);
    }
}

static double minutes_of(const char *suite)
{
    static char *words[] = {"ipcmark-bench", "--driver", "mmipc",   "--driver", "fifo",
                            "--driver",      "tcp",      "--suite", NULL,       NULL};
    struct options options;
    struct plan plan;
    double minutes;
    int exit_code;

    words[8] = (char *)(uintptr_t)suite;
    optind = 0; /* getopt begins anew */
    assert_int_equal(options_parse(&options, 9, words, &exit_code), 0);
    assert_int_equal(plan_make(&plan, &options), 0);
    minutes = budget_estimate(&plan, &options, options.blocks) / 60;
    plan_free(&plan);
    return minutes;
}

/* As --help has it. */
static void suites_take_what_is_said(void **state)
{
    (void)state;
    assert_true(minutes_of("quick") <= 1);
    assert_true(minutes_of("standard") > 1 && minutes_of("standard") <= 10.5);
    assert_true(minutes_of("full") > 30 && minutes_of("full") <= 90);
}

/* Nothing is left that they are the limit of. */
static void limits_go_with_their_rows(void **state)
{
    struct options options = options_of(SUITE_QUICK, 12);
    struct budget budget;
    struct plan plan;
    (void)state;
    assert_int_equal(plan_make(&plan, &options), 0);
    assert_true(has(&plan, "limit/bare-ring/1MiB") && has(&plan, "limit/bare-ring-hot/64B"));
    options.budget = 25;
    assert_int_equal(budget_fit(&budget, &plan, &options), 0);
    assert_false(has(&plan, "throughput/fifo/1MiB/1x1") || has(&plan, "limit/bare-ring/1MiB"));
    assert_true(has(&plan, "hot/fifo/64B/1x1") && has(&plan, "limit/bare-ring-hot/64B"));
    assert_non_null(strstr(budget.dropped, "limit/bare-ring/1MiB"));
    plan_free(&plan);
}

CASES_MAIN(CASE(shards_are_read), CASE(environment_names_a_shard), CASE(latency_has_samples_for_its_percentiles),
           CASE(shards_have_each_block_once), CASE(order_keeps_alike_rows_together), CASE(budget_takes_blocks_first),
           CASE(then_rows_of_the_larger_suites), CASE(shards_leave_out_the_same), CASE(suites_take_what_is_said),
           CASE(limits_go_with_their_rows))
