/* One row beside another. */
#include "cases.h"

#include "analysis/compare.h"
#include "cells.h"

#include <math.h>

static struct results_run run;
static struct results_rows rows;

static void have(const char *text)
{
    run = read_text(text);
    assert_int_equal(results_rows_build(&rows, &run, 1), 0);
}

static void drop(void)
{
    results_rows_free(&rows);
    results_run_free(&run);
}

static const struct results_row *row(const char *name)
{
    const struct results_row *found = results_rows_named(&rows, 0, name);
    if (found == NULL)
        fail_msg("no row %s", name);
    return found;
}

static struct results_ratio compare(const char *name, const char *base, const char *metric)
{
    return results_compare(&rows, row(name), row(base), metric);
}

static void is(double value, double wanted)
{
    if (!(fabs(value - wanted) <= 1e-9 * fabs(wanted)))
        fail_msg("%.12g instead of %.12g", value, wanted);
}

static const char rate[] = "messages_per_second", a[] = "throughput/a/64B/1x1", b[] = "throughput/b/64B/1x1";

static void ratios_pair_cells_of_one_block_and_placement(void **state)
{
    struct results_pair pairs[4];
    struct results_ratio ratio;
    (void)state;
    have(HEADER CELL("a", 0, "siblings", 25, 100) CELL("b", 0, "siblings", 25, 50) CELL("b", 1, "cluster", 60, 10)
             CELL("a", 1, "siblings", 25, 100) CELL("a", 2, "distant", 270, 90) CELL("b", 2, "distant", 270, 30)
                 CELL("a", 3, "mixed", 60, 7) CELL("b", 3, "mixed", 60, 1));
    ratio = compare(a, b, rate);
    assert_int_equal(ratio.spread.count, 2); /* not block 1: other placements; not block 3: it moved */
    is(ratio.spread.low, 2);
    is(ratio.spread.high, 3);
    assert_true(ratio.paired && !ratio.normalised && ratio.why == NULL);
    assert_int_equal(results_pairs(row(a), row(b), rate, pairs), 2);
    assert_true(pairs[0].block == 0 && pairs[1].block == 2);
    ratio.spread = results_row_line_ratio(row(b), rate);
    assert_int_equal(ratio.spread.count, 3);
    is(ratio.spread.high, 50.0 / 25);
    drop();
}

#define ROUNDS(driver, metrics)                                                                                        \
    "{\"record\":\"cell\",\"row\":\"throughput/" driver "/64B/1x1\",\"family\":\"throughput\",\"driver\":\"" driver    \
    "\",\"block\":0,\"placement\":\"mixed\",\"metrics\":{\"messages_per_second\":7," metrics "}}\n"

static void a_cell_in_rounds_pairs_in_each_placement(void **state)
{
    (void)state;
    have(HEADER ROUNDS("a", "\"siblings_messages_per_second\":100,\"cluster_messages_per_second\":60")
             ROUNDS("b", "\"cluster_messages_per_second\":20,\"distant_messages_per_second\":1"));
    assert_int_equal(compare(a, b, rate).spread.count, 1);
    is(compare(a, b, rate).spread.median, 3);
    drop();
}

static void a_block_is_one_value(void **state)
{
    (void)state;
    have(HEADER ROUNDS("a", "\"siblings_messages_per_second\":200,\"cluster_messages_per_second\":80")
             ROUNDS("b", "\"siblings_messages_per_second\":100,\"cluster_messages_per_second\":10"));
    assert_int_equal(compare(a, b, rate).spread.count, 1);
    is(compare(a, b, rate).spread.median, 4); /* of 2 and 8 */
    drop();
}

#define SHAPED(family, driver, shape, publishers, subscribers, block, placement, metrics)                              \
    "{\"record\":\"cell\",\"row\":\"" family "/" driver "/" shape "\",\"family\":\"" family "\",\"driver\":\"" driver  \
    "\",\"size\":64,\"publishers\":" #publishers ",\"subscribers\":" #subscribers ",\"block\":" #block                 \
    ",\"placement\":\"" placement "\",\"line_before_ns\":50,\"line_after_ns\":50,\"metrics\":{" metrics "}}\n"
#define FANOUT(driver, block, placement, rate)                                                                         \
    SHAPED("fanout", driver, "64B/1x4", 1, 4, block, placement, "\"messages_per_second\":" #rate)
#define WAKEUP(driver, block, placement, time)                                                                         \
    SHAPED("wakeup", driver, "64B/1x1", 1, 1, block, placement, "\"p50_ns\":" #time)

/* Where its processes run changes all the time, or nothing. */
static void what_has_no_placement_is_paired_by_block(void **state)
{
    (void)state;
    have(HEADER FANOUT("a", 0, "cluster", 6) FANOUT("a", 1, "mixed", 8) FANOUT("a", 2, "mixed", 9) FANOUT(
        "b", 0, "distant", 1) FANOUT("b", 1, "cluster", 1) WAKEUP("a", 0, "mixed", 3) WAKEUP("b", 0, "cluster", 1));
    assert_int_equal(compare("fanout/a/64B/1x4", "fanout/b/64B/1x4", rate).spread.count, 2);
    is(compare("fanout/a/64B/1x4", "fanout/b/64B/1x4", rate).spread.median, 7);
    is(compare("wakeup/a/64B/1x1", "wakeup/b/64B/1x1", "p50_ns").spread.median, 3);
    drop();
    have("{\"record\":\"header\",\"format\":1,\"kind\":\"bench\",\"pin\":\"none\"}\n" CELL("a", 0, "cluster", 60, 10)
             CELL("b", 0, "mixed", 60, 5));
    is(compare(a, b, rate).spread.median, 2);
    drop();
}

static void a_failed_row_is_compared_with_nothing(void **state)
{
    (void)state;
    have(HEADER CELL("a", 0, "cluster", 60, 10) CELL("b", 0, "cluster", 60, 5)
             SHAPED("throughput", "b", "64B/1x1", 1, 1, 1, "cluster", "},\"error\":\"3 lost\",\"x\":{"));
    assert_int_equal(compare(a, b, rate).spread.count, 0);
    assert_string_equal(compare(a, b, rate).why, "the row that it would be compared with is an error");
    assert_string_equal(compare(b, a, rate).why, "its row is an error");
    assert_true(isnan(results_row_metric(row(b), rate).median));
    drop();
}

static void there_is_a_reason_for_no_pairs(void **state)
{
    (void)state;
    have(HEADER CELL("a", 0, "cluster", 60, 10) CELL("b", 0, "distant", 260, 5));
    assert_string_equal(compare(a, b, rate).why, "no block has both in one placement of the CPUs");
    assert_true(isnan(compare(a, b, rate).spread.median));
    drop();
}

#define HOT(driver, block, counts)                                                                                     \
    SHAPED("hot", driver, "64B/1x1", 1, 1, block, "cluster", "},\"histogram\":{\"counts\":[" counts "]")

/* Of the slow block there is no p99; the ratio of the others would be that of the fast ones. */
static void a_percentile_that_a_block_lacks_has_no_ratio(void **state)
{
    static const char hot_a[] = "hot/a/64B/1x1", hot_b[] = "hot/b/64B/1x1";
    (void)state;
    have(HEADER HOT("a", 0, "[10,20000]") HOT("a", 1, "[90,5000]") HOT("b", 0, "[5,20000]") HOT("b", 1, "[5,20000]"));
    assert_int_equal(compare(hot_a, hot_b, "p50_ns").spread.count, 2);
    is(compare(hot_a, hot_b, "p50_ns").spread.median, 10);
    assert_int_equal(compare(hot_a, hot_b, "p99_ns").spread.count, 0);
    assert_string_equal(compare(hot_b, hot_a, "p99_ns").why, "a cell was too slow to have such a percentile");
    assert_int_equal(results_row_line_ratio(row(hot_a), "p99_ns").count, 0);
    is(results_row_line_ratio(row(hot_b), "p99_ns").median, 0.1);
    drop();
    have(HEADER SHAPED("hot", "a", "64B/1x1", 1, 1, 0, "cluster",
                       "\"p99_ns\":7,\"cluster_p50_ns\":5,\"cluster_p99_ns\":7,\"distant_p50_ns\":50")
             SHAPED("hot", "b", "64B/1x1", 1, 1, 0, "cluster", "\"p99_ns\":7"));
    assert_int_equal(compare(hot_a, hot_b, "p99_ns").spread.count, 0);
    drop();
}

static void ratios_turn_and_scale(void **state)
{
    struct results_spread own, turned;
    (void)state;
    have(HEADER CELL("a", 0, "cluster", 60, 100) CELL("b", 0, "cluster", 60, 50) CELL("a", 1, "cluster", 60, 90)
             CELL("b", 1, "cluster", 60, 30) CELL("a", 2, "cluster", 60, 10) CELL("b", 2, "cluster", 60, 40));
    own = compare(a, b, rate).spread;
    turned = results_inverse(compare(b, a, rate).spread);
    is(own.median, turned.median);
    is(own.low, turned.low);
    is(own.high, turned.high);
    is(compare(a, a, rate).spread.median, 1);
    drop();
    assert_true(results_more_is_better("bytes_per_second") && !results_more_is_better("p50_ns"));
}

/* Six blocks of a run whose machine makes everything `fast` times as fast. */
#define RING(block, rate)                                                                                              \
    "{\"record\":\"cell\",\"row\":\"limit/bare-ring/64B\",\"family\":\"limit\",\"driver\":\"limit\",\"size\":64,"      \
    "\"publishers\":1,\"subscribers\":1,\"block\":" #block ",\"placement\":\"cluster\",\"limit_of\":[\"throughput\"]," \
    "\"limit_kind\":\"bound\",\"metrics\":{\"messages_per_second\":" #rate "}}\n"
#define SIX(driver, r0, r1, r2, r3, r4, r5)                                                                            \
    CELL(driver, 0, "cluster", 60, r0)                                                                                 \
    CELL(driver, 1, "cluster", 60, r1)                                                                                 \
    CELL(driver, 2, "cluster", 60, r2)                                                                                 \
    CELL(driver, 3, "cluster", 60, r3) CELL(driver, 4, "cluster", 60, r4) CELL(driver, 5, "cluster", 60, r5)
#define SIX_RINGS(r0, r1, r2, r3, r4, r5) RING(0, r0) RING(1, r1) RING(2, r2) RING(3, r3) RING(4, r4) RING(5, r5)

static struct results_ratio between(const char *old, const char *new)
{
    struct results_run runs[] = {read_text(old), read_text(new)};
    struct results_rows both;
    struct results_ratio ratio;
    struct results_pair pairs[6];
    assert_int_equal(results_rows_build(&both, runs, 2), 0);
    assert_int_equal(results_pairs(results_rows_named(&both, 1, a), results_rows_named(&both, 0, a), rate, pairs), 0);
    ratio = results_compare(&both, results_rows_named(&both, 1, a), results_rows_named(&both, 0, a), rate);
    results_rows_free(&both);
    results_run_free(&runs[0]);
    results_run_free(&runs[1]);
    return ratio;
}

/* Blocks of two runs have nothing in common: the first of one is not beside the first of the other. */
static void two_runs_are_compared_as_a_whole(void **state)
{
    struct results_ratio ratio =
        between(HEADER SIX("a", 100, 101, 102, 103, 104, 105), HEADER SIX("a", 210, 202, 204, 206, 208, 200));
    (void)state;
    assert_true(!ratio.paired && !ratio.normalised && ratio.why == NULL && ratio.spread.interval);
    is(ratio.spread.median, 205 / 102.5);
    assert_true(ratio.spread.low > 1.9 && ratio.spread.low < 2 && ratio.spread.high > 2 && ratio.spread.high < 2.1);
    assert_int_equal(ratio.spread.count, 6);
    ratio = between(HEADER SIX("a", 100, 101, 102, 103, 104, 105), HEADER CELL("a", 0, "cluster", 60, 205));
    is(ratio.spread.median, 2);
    assert_true(!ratio.spread.interval); /* but the range: of the first's 100 to 105 over the one */
    is(ratio.spread.low, 205 / 105.0);
    is(ratio.spread.high, 205 / 100.0);
    ratio = between(HEADER CELL("a", 0, "cluster", 60, 205),
                    HEADER SHAPED("throughput", "a", "64B/1x1", 1, 1, 0, "cluster", "},\"error\":\"3 lost\",\"x\":{"));
    assert_true(ratio.spread.count == 0 && isnan(ratio.spread.median));
    assert_string_equal(ratio.why, "its row is an error");
    ratio = between(HEADER SHAPED("throughput", "a", "64B/1x1", 1, 1, 0, "cluster", "},\"error\":\"3 lost\",\"x\":{"),
                    HEADER CELL("a", 0, "cluster", 60, 205));
    assert_string_equal(ratio.why, "the row that it would be compared with is an error");
}

/* The new run's machine is twice as fast, and so is its ring: the driver itself has become slower by a tenth. */
static void each_run_is_taken_over_its_own_limit(void **state)
{
    struct results_ratio ratio =
        between(HEADER SIX("a", 100, 110, 120, 130, 140, 150) SIX_RINGS(200, 220, 240, 260, 280, 300),
                HEADER SIX("a", 180, 270, 360, 450, 540, 630) SIX_RINGS(400, 600, 800, 1000, 1200, 1400));
    (void)state;
    assert_true(!ratio.paired && ratio.normalised);
    is(ratio.spread.median, 0.9);
    is(ratio.spread.low, 0.9); /* block by block the distance is always the same */
    is(ratio.spread.high, 0.9);
}

#define LIMIT(name, kind, of, size, placement, metrics)                                                                \
    "{\"record\":\"cell\",\"row\":\"limit/" name "\",\"family\":\"limit\",\"driver\":\"limit\",\"size\":" #size        \
    ",\"block\":0,\"placement\":\"" placement "\",\"limit_of\":[" of "],\"limit_kind\":\"" kind                        \
    "\",\"metrics\":{" metrics "}}\n"

static void limits_are_those_of_family_and_size(void **state)
{
    struct results_limit limits[RESULTS_LIMITS];
    (void)state;
    have(HEADER CELL("a", 0, "cluster", 60, 10) LIMIT("memcpy/64B", "bound", "\"size\",\"throughput\"", 64, "cluster",
                                                      "\"messages_per_second\":80")
             LIMIT("bare-ring/64B", "bound", "\"throughput\"", 64, "cluster", "\"messages_per_second\":20")
                 LIMIT("bare-ring/1KiB", "bound", "\"throughput\"", 1024, "cluster", "\"messages_per_second\":11")
                     LIMIT("futex/64B", "bound", "\"wakeup\"", 64, "cluster", "\"messages_per_second\":11")
                         LIMIT("harness/64B", "share", "\"throughput\"", 64, "cluster", "\"messages_per_second\":40"));
    assert_int_equal(results_limits(&rows, row(a), rate, false, limits), 2);
    assert_string_equal(limits[0].name, "bare ring"); /* the tightest */
    is(limits[0].distance.spread.median, 2);
    assert_string_equal(limits[1].name, "memcpy");
    is(limits[1].distance.spread.median, 8);
    assert_int_equal(results_limits(&rows, row(a), rate, true, limits), 1);
    assert_string_equal(limits[0].name, "harness");
    is(limits[0].distance.spread.median, 0.25);
    drop();
}

/* Of driver "a", or a limit of that name and kind. */
static void write_wakeup(FILE *out, const char *name, int block, const char *of, const char *kind, double time)
{
    const bool limit = *kind != '\0';
    fprintf(out,
            "{\"record\":\"cell\",\"row\":\"%s/%s/64B%s\",\"family\":\"%s\",\"driver\":\"%s\",\"size\":64,"
            "\"block\":%d,\"limit_of\":[%s],\"limit_kind\":\"%s\",\"metrics\":{\"p50_ns\":%.17g}}\n",
            limit ? "limit" : "wakeup", name, limit ? "" : "/1x1", limit ? "limit" : "wakeup", limit ? "limit" : name,
            block, of, kind, time);
}

/* 0.9 to 0.95 of the pipe's time in each block: surely less; of the socket's, 0.9 to 1.1: not surely. */
static void a_limit_that_was_beaten_says_so(void **state)
{
    static const char *const kinds[] = {"reference", "reference", "bound", "share"};
    static const char *const names[] = {"pipe", "unix", "futex", "harness"};
    struct results_limit limits[RESULTS_LIMITS];
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    (void)state;
    fputs(HEADER, out);
    for (int block = 0; block < 6; ++block) {
        const double times[] = {100 / (0.9 + block * 0.01), 100 / (0.9 + block * 0.04), 80, 20};
        write_wakeup(out, "a", block, "\"\"", "", 100);
        for (size_t i = 0; i < 4; ++i)
            write_wakeup(out, names[i], block, "\"wakeup\"", kinds[i], times[i]);
    }
    fclose(out);
    have(text);
    assert_int_equal(results_limits(&rows, row("wakeup/a/64B/1x1"), "p50_ns", false, limits), 3);
    assert_string_equal(limits[0].name, "pipe");
    assert_true(limits[0].beaten && !limits[0].bound && limits[0].distance.spread.high < 1);
    assert_string_equal(limits[1].name, "unix");
    assert_true(!limits[1].beaten && !limits[1].bound && limits[1].distance.spread.low < 1);
    assert_string_equal(limits[2].name, "futex");
    assert_true(!limits[2].beaten && limits[2].bound);
    assert_int_equal(results_limits(&rows, row("wakeup/a/64B/1x1"), "p50_ns", true, limits), 1);
    assert_true(!limits[0].beaten && !limits[0].bound);
    drop();
    free(text);
}

static void hot_is_bounded_by_the_line_around_it(void **state)
{
    struct results_limit limits[RESULTS_LIMITS];
    (void)state;
    have(HEADER SHAPED("hot", "a", "64B/1x1", 1, 1, 0, "cluster", "\"p50_ns\":200")
             SHAPED("latency", "a", "64B/1x1", 1, 1, 0, "cluster", "\"p50_ns\":300")
                 LIMIT("line", "bound", "\"hot\"", null, "cluster", "\"p50_ns\":20")
                     LIMIT("bare-ring-hot/64B", "bound", "\"hot\"", 64, "cluster", "\"p50_ns\":100")
                         LIMIT("harness-hot/64B", "share", "\"hot\"", 64, "cluster", "\"p50_ns\":50"));
    assert_int_equal(results_limits(&rows, row("hot/a/64B/1x1"), "p50_ns", false, limits), 2);
    assert_string_equal(limits[0].name, "bare ring hot");
    is(limits[0].distance.spread.median, 2);
    assert_string_equal(limits[1].name, "cache line");
    is(limits[1].distance.spread.median, 4);
    assert_null(limits[1].row);
    assert_int_equal(results_limits(&rows, row("hot/a/64B/1x1"), "p50_ns", true, limits), 1);
    is(limits[0].distance.spread.median, 0.25);
    assert_int_equal(results_limits(&rows, row("latency/a/64B/1x1"), "p50_ns", false, limits), 0);
    drop();
}

static void a_limit_that_counts_bytes_bounds_bytes(void **state)
{
    struct results_limit limits[RESULTS_LIMITS];
    (void)state;
    have(HEADER SHAPED("throughput", "a", "64B/1x1", 1, 1, 0, "cluster",
                       "\"messages_per_second\":10,\"bytes_per_second\":640")
             LIMIT("memcpy/64B", "bound", "\"throughput\"", 64, "cluster", "\"bytes_per_second\":1280"));
    assert_int_equal(results_limits(&rows, row(a), rate, false, limits), 1);
    assert_string_equal(limits[0].metric, "bytes_per_second");
    is(limits[0].distance.spread.median, 2);
    drop();
}

CASES_MAIN(CASE(ratios_pair_cells_of_one_block_and_placement), CASE(a_cell_in_rounds_pairs_in_each_placement),
           CASE(a_block_is_one_value), CASE(what_has_no_placement_is_paired_by_block),
           CASE(a_failed_row_is_compared_with_nothing), CASE(there_is_a_reason_for_no_pairs),
           CASE(a_percentile_that_a_block_lacks_has_no_ratio), CASE(ratios_turn_and_scale),
           CASE(two_runs_are_compared_as_a_whole), CASE(each_run_is_taken_over_its_own_limit),
           CASE(limits_are_those_of_family_and_size), CASE(a_limit_that_was_beaten_says_so),
           CASE(hot_is_bounded_by_the_line_around_it), CASE(a_limit_that_counts_bytes_bounds_bytes))
