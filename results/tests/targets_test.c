/* What libmmipc is to reach, judged from cells. */
#include "cases.h"

#include "analysis/targets.h"
#include "cells.h"

#include <math.h>

enum { BLOCKS = 12 };

static FILE *file;
static char *text;
static size_t size;
static struct results_run run;
static struct results_rows rows;
static struct results_target_verdict verdicts[RESULTS_TARGETS];

static void begin(void)
{
    file = open_memstream(&text, &size);
    assert_non_null(file);
    fputs(HEADER, file);
}

/* "target-hot/mmipc/64B/1x1" is of family target-hot and driver mmipc. */
static void cell(const char *row, int block, const char *placement, const char *members)
{
    const char *driver = strchr(row, '/') + 1;
    fprintf(file,
            "{\"record\":\"cell\",\"row\":\"%s\",\"family\":\"%.*s\",\"driver\":\"%.*s\",\"block\":%d,\"placement\":"
            "\"%s\",\"line_before_ns\":50,\"line_after_ns\":50,%s}\n",
            row, (int)(driver - 1 - row), row, (int)strcspn(driver, "/"), driver, block, placement, members);
}

static void blocks(const char *row, const char *placement, const char *metric, double value)
{
    for (int block = 0; block < BLOCKS; ++block) {
        char members[96];
        snprintf(members, sizeof members, "\"metrics\":{\"%s\":%.17g}", metric, value + 0.001 * block);
        cell(row, block, placement, members);
    }
}

static void failed(const char *row)
{
    cell(row, 0, "cluster", "\"error\":\"message 7 is missing\"");
}

static void judge(void)
{
    fclose(file);
    run = read_text(text);
    free(text);
    assert_int_equal(results_rows_build(&rows, &run, 1), 0);
    results_targets_judge(&rows, 0, verdicts);
}

static void end(void)
{
    results_rows_free(&rows);
    results_run_free(&run);
}

static const struct results_target_verdict *find(const char *name, const char *rival)
{
    for (size_t i = 0; i < RESULTS_TARGETS; ++i)
        if (strcmp(verdicts[i].target->name, name) == 0 &&
            (rival == NULL || strstr(verdicts[i].target->rivals[0], rival)))
            return &verdicts[i];
    fail_msg("there is no target '%s'", name);
    return NULL;
}

static void nothing_measured_is_unknown(void **state)
{
    (void)state;
    begin();
    judge();
    assert_false(results_targets_any(&rows, 0));
    for (size_t i = 0; i < RESULTS_TARGETS; ++i) {
        assert_string_equal(verdicts[i].word, "unknown");
        assert_string_equal(verdicts[i].unknown, "its row is not measured");
        assert_ptr_equal(verdicts[i].target, &results_targets[i]);
    }
    end();
}

static void ratio_to_the_line_around_the_cell(void **state)
{
    const struct results_target_verdict *verdict;
    (void)state;
    begin();
    blocks("target-hot/mmipc/32B/1x1", "cluster", "p50_ns", 98);
    blocks("target-hot/mmipc/64B/1x1", "cluster", "p50_ns", 130);
    judge();
    assert_true(results_targets_any(&rows, 0));
    verdict = find("one way, awake, 32 B, p50", NULL);
    assert_string_equal(verdict->word, "reached");
    assert_true(fabs(verdict->judged.median - 98.0055 / 50) < 1e-9 && verdict->judged.count == BLOCKS);
    assert_true(verdict->judged.low < verdict->judged.median && verdict->judged.median < verdict->judged.high);
    assert_true(verdict->rival_value == 50);
    assert_string_equal(find("one way, awake, 64 B, p50", NULL)->word, "not reached");
    end();
}

/* The faster of FIFO and socket; wake-ups are paired wherever the CPUs were. */
static void harder_rival_counts(void **state)
{
    const struct results_target_verdict *verdict;
    (void)state;
    begin();
    blocks("target-wakeup/mmipc/64B/1x1", "mixed", "p50_ns", 30000);
    blocks("target-wakeup/fifo/64B/1x1", "cluster", "p50_ns", 20000);
    blocks("target-wakeup/unix/64B/1x1", "distant", "p50_ns", 40000);
    blocks("target-stream/mmipc/1MiB/1x1", "cluster", "messages_per_second", 10000);
    blocks("target-stream/unix/1MiB/1x1", "cluster", "messages_per_second", 1000);
    blocks("target-stream/tcp/1MiB/1x1", "cluster", "messages_per_second", 4000);
    judge();
    verdict = find("one way to a sleeping reader", NULL);
    assert_string_equal(verdict->rival, "target-wakeup/fifo/64B/1x1");
    assert_true(fabs(verdict->judged.median - 1.5) < 1e-3);
    assert_true(fabs(verdict->value - 30000) < 1 && fabs(verdict->rival_value - 20000) < 1);
    assert_string_equal(verdict->word, "not reached");
    verdict = find("stream, 1 MiB", "unix");
    assert_string_equal(verdict->rival, "target-stream/tcp/1MiB/1x1");
    assert_true(fabs(verdict->judged.median - 2.5) < 1e-3);
    end();
}

static void error_or_missing_rival_is_unknown(void **state)
{
    (void)state;
    begin();
    blocks("target-wakeup/mmipc/64B/1x1", "cluster", "p50_ns", 30000);
    blocks("target-wakeup/fifo/64B/1x1", "cluster", "p50_ns", 40000);
    failed("target-wakeup/unix/64B/1x1");
    failed("target-stream/mmipc/64B/1x1");
    blocks("target-stream/mmipc/1KiB/1x1", "cluster", "messages_per_second", 10000);
    blocks("target-stream/bare-ring/1KiB/1x1", "distant", "messages_per_second", 10000);
    blocks("target-stream/mmipc/1MiB/1x1", "cluster", "messages_per_second", 10000);
    judge();
    assert_string_equal(find("one way to a sleeping reader", NULL)->unknown, "its rival's row is an error");
    assert_string_equal(find("stream, 64 B", "fifo")->unknown, "its row is an error");
    assert_string_equal(find("stream, 1 KiB", NULL)->unknown, "no block has both in one placement of the CPUs");
    assert_string_equal(find("stream, 1 MiB", "bare-ring")->unknown, "its rival's row is not measured");
    end();
}

static void ten_pairs_are_needed(void **state)
{
    (void)state;
    begin();
    for (int block = 0; block < 9; ++block)
        for (size_t i = 0; i < 2; ++i)
            cell(i ? "target-idle/mmipc/64B/1x1" : "target-hot/mmipc/32B/1x1", block, "cluster",
                 "\"metrics\":{\"p50_ns\":98,\"cpu_share\":0}");
    judge();
    assert_string_equal(find("one way, awake, 32 B, p50", NULL)->unknown, "too few pairs");
    assert_string_equal(find("idle pair, CPU of a process", NULL)->unknown, "too few blocks");
    end();
}

/* Eleven fast cells and one that was asleep: the p99 of the fast ones is not that of the row. */
static void slow_cell_is_not_left_out_of_the_p99(void **state)
{
    (void)state;
    begin();
    for (int block = 0; block < BLOCKS; ++block)
        cell("target-hot/mmipc/64B/1x1", block, "cluster",
             block == 3 ? "\"metrics\":{\"p50_ns\":100,\"p99_ns\":200,\"cluster_p50_ns\":100}"
                        : "\"metrics\":{\"p50_ns\":100,\"p99_ns\":200,\"cluster_p50_ns\":100,\"cluster_p99_ns\":200}");
    blocks("target-hot/bare-ring/64B/1x1", "cluster", "p99_ns", 150);
    judge();
    assert_string_equal(find("one way, awake, 64 B, p99", NULL)->unknown,
                        "a cell was too slow to have such a percentile");
    end();
}

static void absolute_bounds_are_in_the_metrics_unit(void **state)
{
    (void)state;
    begin();
    blocks("target-idle/mmipc/64B/1x1", "cluster", "cpu_share", 0.00015); /* + 0.001 a block */
    for (int block = 0; block < BLOCKS; ++block)
        cell("target-pairs/mmipc/64B/1x16", block, "cluster",
             "\"metrics\":{\"bytes_per_pair\":131072,\"descriptors_per_pair\":9}");
    judge();
    assert_string_equal(find("idle pair, CPU of a process", NULL)->word, "not reached");
    assert_string_equal(find("memory a pair, both sides", NULL)->word, "reached");
    assert_string_equal(find("descriptors a pair, both sides", NULL)->word, "not reached");
    assert_true(find("descriptors a pair, both sides", NULL)->value == 9);
    end();
}

/* 10 of 600 are late: more than one in a hundred. */
static void p99_is_of_all_blocks_together(void **state)
{
    const struct results_target_verdict *verdict;
    (void)state;
    begin();
    for (int block = 0; block < BLOCKS; ++block)
        cell("target-death/mmipc/64B/1x1", block, "cluster",
             block < 10 ? "\"metrics\":{\"max_ns\":1},\"histogram\":{\"counts\":[[2000895,49],[20004863,1]]}"
                        : "\"metrics\":{\"max_ns\":1},\"histogram\":{\"counts\":[[2000895,50]]}");
    judge();
    verdict = find("killed peer to disconnect reported, p99", NULL);
    assert_int_equal(verdict->judged.count, 600);
    assert_true(verdict->value > 19e6 && verdict->judged.low < 3e6 && verdict->judged.high > 19e6);
    assert_string_equal(verdict->word, "perhaps not reached");
    assert_string_equal(find("new subscriber to first message, p99", NULL)->unknown, "its row is not measured");
    end();
}

/* So many samples of 2, 3 and 5 ms, spread evenly over the blocks. */
static void spread_deaths(size_t fast, size_t middle, size_t slow)
{
    for (size_t block = 0; block < BLOCKS; ++block) {
        size_t counts[3] = {0};
        char members[160];
        for (size_t i = block; i < fast + middle + slow; i += BLOCKS)
            ++counts[i < fast ? 0 : i < fast + middle ? 1 : 2];
        snprintf(members, sizeof members,
                 "\"metrics\":{},\"histogram\":{\"counts\":[[2000000,%zu],[3000000,%zu],[5000000,%zu]]}", counts[0],
                 counts[1], counts[2]);
        cell("target-death/mmipc/64B/1x1", (int)block, "cluster", members);
    }
}

static const struct results_target_verdict *judge_deaths(void)
{
    judge();
    return find("killed peer to disconnect reported, p99", NULL);
}

/* Blocks that are alike, drawn anew, say nothing of the tail. The ends are samples of their ranks: the last of the
 * lowest value, the first of the highest. */
static void a_p99_of_equal_blocks_has_the_interval_of_ranks(void **state)
{
    const struct results_target_verdict *verdict;
    size_t low, high;
    (void)state;
    assert_true(results_ranks(2400, 0.99, &low, &high));
    begin();
    spread_deaths(low + 1, high - low - 1, 2400 - high);
    verdict = judge_deaths();
    assert_true(verdict->judged.low == 2e6 && verdict->judged.median == 3e6 && verdict->judged.high == 5e6);
    assert_string_equal(verdict->word, "reached");
    end();
}

/* 300 samples have no upper end; 199 none at all. */
static void a_p99_of_few_samples_is_never_sure(void **state)
{
    (void)state;
    begin();
    spread_deaths(300, 0, 0);
    assert_string_equal(judge_deaths()->word, "perhaps reached");
    end();
    begin();
    spread_deaths(199, 0, 0);
    assert_string_equal(judge_deaths()->unknown, "too few samples");
    end();
}

/* All that is late is of one block. Of so many samples the ranks would be sure; without that block there is nothing. */
static void a_block_that_differs_widens_the_interval_of_a_p99(void **state)
{
    const struct results_target_verdict *verdict;
    (void)state;
    begin();
    for (int block = 0; block < BLOCKS; ++block)
        cell("target-death/mmipc/64B/1x1", block, "cluster",
             block == 3 ? "\"metrics\":{},\"histogram\":{\"counts\":[[2000000,160],[20000000,40]]}"
                        : "\"metrics\":{},\"histogram\":{\"counts\":[[2000000,200]]}");
    verdict = judge_deaths();
    assert_true(verdict->judged.low == 2e6 && verdict->judged.median == 20e6 && verdict->judged.high == 20e6);
    assert_string_equal(verdict->word, "perhaps not reached");
    end();
}

static void a_p99_needs_ten_blocks(void **state)
{
    (void)state;
    begin();
    for (int block = 0; block < 9; ++block)
        cell("target-death/mmipc/64B/1x1", block, "cluster",
             "\"metrics\":{},\"histogram\":{\"counts\":[[2000000,200]]}");
    assert_string_equal(judge_deaths()->unknown, "too few blocks");
    end();
}

/* Half of the blocks on either side of the bound. */
static void an_interval_over_the_bound_says_perhaps(void **state)
{
    (void)state;
    begin();
    for (int block = 0; block < BLOCKS; ++block) {
        cell("target-hot/mmipc/32B/1x1", block, "cluster",
             block < 7 ? "\"metrics\":{\"p50_ns\":99}" : "\"metrics\":{\"p50_ns\":120}");
        cell("target-hot/mmipc/64B/1x1", block, "cluster",
             block < 5 ? "\"metrics\":{\"p50_ns\":99}" : "\"metrics\":{\"p50_ns\":130}");
    }
    judge();
    assert_string_equal(find("one way, awake, 32 B, p50", NULL)->word, "perhaps reached");
    assert_string_equal(find("one way, awake, 64 B, p50", NULL)->word, "perhaps not reached");
    end();
}

CASES_MAIN(CASE(nothing_measured_is_unknown), CASE(ratio_to_the_line_around_the_cell), CASE(harder_rival_counts),
           CASE(error_or_missing_rival_is_unknown), CASE(ten_pairs_are_needed),
           CASE(slow_cell_is_not_left_out_of_the_p99), CASE(absolute_bounds_are_in_the_metrics_unit),
           CASE(p99_is_of_all_blocks_together), CASE(a_p99_of_equal_blocks_has_the_interval_of_ranks),
           CASE(a_p99_of_few_samples_is_never_sure), CASE(a_block_that_differs_widens_the_interval_of_a_p99),
           CASE(a_p99_needs_ten_blocks), CASE(an_interval_over_the_bound_says_perhaps))
