#include "cases.h"

#include "analysis/estimate.h"
#include "analysis/rows.h"
#include "analysis/verdicts.h"
#include "cells.h"

#include <math.h>

static void one_failed_cell_fails_its_row(void **state)
{
    struct results_run run = read_text(
        HEADER CELL("a", 0, "siblings", 25, 100) "{\"record\":\"cell\",\"row\":\"throughput/a/64B/1x1\",\"family\":"
                                                 "\"throughput\",\"driver\":\"a\",\"block\":1,\"error\":\"3 lost\"}\n");
    struct results_rows rows;
    (void)state;
    assert_int_equal(results_rows_build(&rows, &run, 1), 0);
    assert_false(results_row_figure(&rows.rows[0]));
    assert_string_equal(rows.rows[0].error, "3 lost");
    results_rows_free(&rows);
    results_run_free(&run);
}

static void histograms_of_blocks_are_merged(void **state)
{
    struct results_run run;
    struct results_rows rows;
    const struct results_row *row;
    struct results_spread spread;
    char error[512];
    (void)state;
    assert_int_equal(results_run_read(&run, SAMPLES "/bench.jsonl", error, sizeof error), 0);
    assert_int_equal(results_rows_build(&rows, &run, 1), 0);
    row = results_rows_find(&rows, "mmipc", "hot/64B/1x1");
    assert_non_null(row);
    assert_int_equal(row->histogram.total, 12 * 20000);
    assert_int_equal(results_row_placements(row, "siblings"), 4);
    spread = results_row_metric(row, "p999_ns"); /* 20 samples beyond in a block, but 240 in all of them */
    assert_true(spread.median == results_histogram_percentile(&row->histogram, 0.999));
    assert_int_equal(spread.count, 12);
    assert_true(spread.interval && spread.low <= spread.median && spread.median <= spread.high);
    assert_true(isnan(results_row_metric(row, "p9999_ns").median));
    assert_true(results_row_metric(row, "max_ns").median == results_histogram_max(&row->histogram));
    results_rows_free(&rows);
    results_run_free(&run);
}

#define HISTOGRAM(block, placement, counts)                                                                            \
    "{\"record\":\"cell\",\"row\":\"hot/a/64B/1x1\",\"family\":\"hot\",\"driver\":\"a\",\"block\":" #block             \
    ",\"placement\":\"" placement                                                                                      \
    "\",\"line_before_ns\":20,\"line_after_ns\":30,\"metrics\":{\"p99_ns\":5,\"samples\":1}"                           \
    ",\"histogram\":{\"counts\":[" counts "]}}\n"

/* Five fast blocks of many samples, and a slow one that alone has too few for a p99: a median of the blocks'
 * percentiles, or of those that have one, is a fast one. */
static void no_block_is_left_out_of_a_percentile(void **state)
{
    struct results_run run =
        read_text(HEADER HISTOGRAM(0, "cluster", "[10,20000]") HISTOGRAM(1, "cluster", "[10,20000]")
                      HISTOGRAM(2, "cluster", "[10,20000]") HISTOGRAM(3, "cluster", "[10,20000]")
                          HISTOGRAM(4, "cluster", "[10,20000]") HISTOGRAM(5, "cluster", "[900,5000]"));
    struct results_rows rows;
    struct results_spread spread;
    (void)state;
    assert_int_equal(results_rows_build(&rows, &run, 1), 0);
    spread = results_row_metric(&rows.rows[0], "p99_ns");
    assert_true(spread.median == 900 && spread.low == 10 && spread.high == 900 && spread.interval);
    spread = results_row_metric(&rows.rows[0], "p50_ns");
    assert_true(spread.median == 10 && spread.low == 10 && spread.count == 6);
    results_rows_free(&rows);
    results_run_free(&run);
    run = read_text(HEADER HISTOGRAM(0, "cluster", "[10,20000]") HISTOGRAM(1, "cluster", "[900,5000]"));
    assert_int_equal(results_rows_build(&rows, &run, 1), 0);
    spread = results_row_metric(&rows.rows[0], "p50_ns");
    assert_true(spread.median == 10 && spread.low == 10 && spread.high == 900 && !spread.interval);
    spread = results_row_metric(&rows.rows[0], "p99_ns"); /* one block alone has none: not even a range */
    assert_true(spread.median == 900 && isnan(spread.low) && isnan(spread.high) && !spread.interval);
    results_rows_free(&rows);
    results_run_free(&run);
}

/* The merged percentile of any drawing is that of its samples, sorted. */
static void a_drawing_has_the_percentile_of_its_samples(void **state)
{
    struct results_run run = read_text(HEADER HISTOGRAM(0, "cluster", "[10,300],[20,400]") HISTOGRAM(
        1, "cluster", "[20,100],[30,900]") HISTOGRAM(2, "cluster", "[5,50],[40,250]"));
    static const size_t drawn[][3] = {{0, 1, 2}, {0, 0, 0}, {2, 2, 1}, {1, 1, 1}};
    struct results_rows rows;
    struct results_estimate estimate;
    (void)state;
    assert_int_equal(results_rows_build(&rows, &run, 1), 0);
    assert_int_equal(results_estimate_row(&estimate, &rows.rows[0], "p75_ns"), 0);
    for (size_t i = 0; i < sizeof drawn / sizeof drawn[0]; ++i) {
        struct results_histogram merged = {0};
        for (size_t j = 0; j < 3; ++j)
            assert_int_equal(results_histogram_merge(&merged, &run.cells[drawn[i][j]].histogram), 0);
        assert_true(results_estimate_of(&estimate, drawn[i]) == results_histogram_percentile(&merged, 0.75));
        results_histogram_free(&merged);
    }
    assert_true(results_estimate_of(&estimate, NULL) == results_estimate_of(&estimate, drawn[0]));
    results_estimate_free(&estimate);
    results_rows_free(&rows);
    results_run_free(&run);
}

#define NAMED(block, counts)                                                                                           \
    "{\"record\":\"cell\",\"row\":\"lifecycle/a/1x1\",\"family\":\"lifecycle\",\"driver\":\"a\",\"block\":" #block     \
    ",\"metrics\":{\"close_p50_ns\":5,\"cluster_p50_ns\":6},\"histograms\":{\"close\":{\"counts\":[" counts "]}}}\n"

/* Each block has too few samples for a median, all together have enough. */
static void further_histograms_are_merged_by_name(void **state)
{
    struct results_run run = read_text(HEADER NAMED(0, "[10,50],[20,1]") NAMED(1, "[10,50],[30,99]"));
    struct results_rows rows;
    (void)state;
    assert_int_equal(results_rows_build(&rows, &run, 1), 0);
    assert_true(results_row_metric(&rows.rows[0], "close_p50_ns").median == 10);
    assert_int_equal(results_row_histogram(&rows.rows[0], "close_p50_ns")->total, 200);
    assert_null(results_row_histogram(&rows.rows[0], "close_max_ns"));
    assert_null(results_row_histogram(&rows.rows[0], "death_p50_ns"));
    assert_true(isnan(results_row_metric(&rows.rows[0], "close_p90_ns").median));
    assert_true(isnan(results_row_metric(&rows.rows[0], "cluster_p50_ns").median)); /* nothing to merge */
    results_rows_free(&rows);
    results_run_free(&run);
}

/* A line of the cells of one placement: a median over several is a line that no cell saw. */
static void lines_are_of_one_placement(void **state)
{
    struct results_run run = read_text(HEADER CELL("a", 0, "siblings", 25, 1) CELL("a", 1, "siblings", 27, 1)
                                           CELL("a", 2, "distant", 270, 1));
    struct results_rows rows;
    (void)state;
    assert_int_equal(results_rows_build(&rows, &run, 1), 0);
    assert_true(results_rows_line(rows.rows, rows.count, 0, "siblings").median == 26);
    assert_true(results_rows_line(rows.rows, rows.count, 0, "distant").median == 270);
    assert_int_equal(results_rows_line(rows.rows, rows.count, 0, "cluster").count, 0);
    results_rows_free(&rows);
    results_run_free(&run);
}

/* Two runs stand side by side; shards of one are put together. */
static void runs_are_not_pooled(void **state)
{
    struct results_run runs[] = {read_text(HEADER CELL("a", 0, "siblings", 25, 100) CELL("b", 0, "siblings", 25, 100)),
                                 read_text(HEADER CELL("a", 0, "siblings", 25, 50))};
    struct results_rows rows;
    (void)state;
    runs[0].file = "results/old.jsonl";
    runs[1].file = "new.jsonl";
    assert_int_equal(results_rows_build(&rows, runs, 2), 0);
    assert_int_equal(rows.run_count, 2);
    assert_int_equal(rows.count, 3);
    assert_string_equal(rows.rows[0].label, "a (old)");
    assert_string_equal(rows.rows[1].label, "a (new)");
    assert_string_equal(rows.rows[2].label, "b");
    assert_true(results_row_metric(&rows.rows[0], "messages_per_second").median == 100);
    assert_ptr_equal(results_rows_find(&rows, "a (new)", "throughput/64B/1x1"), &rows.rows[1]);
    assert_ptr_equal(results_rows_named(&rows, 1, "throughput/a/64B/1x1"), &rows.rows[1]);
    assert_ptr_equal(results_rows_rival(&rows, &rows.rows[2], "a"), &rows.rows[0]);
    assert_null(results_rows_rival(&rows, &rows.rows[1], "b"));
    results_rows_free(&rows);
    runs[1].file = "old.jsonl";
    assert_int_equal(results_rows_build(&rows, runs, 2), 0);
    assert_string_equal(rows.rows[1].label, "a (run 2)");
    results_rows_free(&rows);
    results_run_free(&runs[0]);
    results_run_free(&runs[1]);
}

#define SHARD(index, extra)                                                                                            \
    "{\"record\":\"header\",\"format\":1,\"kind\":\"bench\",\"run\":\"" #index                                         \
    "\",\"seed\":7,\"shard\":{\"index\":" #index ",\"count\":2}" extra "}\n"

static void shards_are_one_run(void **state)
{
    static const char *const others[] = {SHARD(2, ""),
                                         SHARD(2, ",\"manifest\":\"12\""),
                                         SHARD(1, ""),
                                         HEADER,
                                         SHARD(2, ",\"environment\":{\"commit\":\"12\"}"),
                                         SHARD(2, ",\"drivers\":[{\"name\":\"a\"}]")};
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; ++i) {
        char text[1024];
        struct results_run runs[2] = {read_text(SHARD(1, "") CELL("a", 0, "siblings", 25, 100))};
        struct results_rows rows;
        snprintf(text, sizeof text, "%s%s", others[i], CELL("a", 1, "siblings", 25, 50));
        runs[1] = read_text(text);
        assert_int_equal(results_rows_build(&rows, runs, 2), 0);
        assert_int_equal(rows.run_count, i == 0 ? 1 : 2);
        assert_int_equal(rows.rows[0].sample_count, i == 0 ? 2 : 1);
        results_rows_free(&rows);
        results_run_free(&runs[0]);
        results_run_free(&runs[1]);
    }
}

#define WITHOUT(block, error, not_applicable)                                                                          \
    "{\"record\":\"cell\",\"row\":\"throughput/a/64B/"                                                                 \
    "1x1\",\"family\":\"throughput\",\"driver\":\"a\",\"size\":64,\"block\":" #block                                   \
    ",\"metrics\":{},\"error\":" error ",\"not_applicable\":" not_applicable "}\n"
#define AWAKE "\"it stays awake\""

/* What a driver cannot have it has in no block. */
static void what_applies_in_some_blocks_only_is_an_error(void **state)
{
    static const struct {
        const char *text, *error;
        size_t samples, failed;
    } cases[] = {
        {CELL("a", 0, "siblings", 25, 100) WITHOUT(1, "null", AWAKE), "it does not apply in some blocks, ", 2, 1},
        {WITHOUT(0, "null", AWAKE) WITHOUT(1, "\"it hung\"", "null"), "it hung", 2, 2},
        {WITHOUT(0, "null", AWAKE) WITHOUT(1, "null", AWAKE), NULL, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        char text[1024];
        struct results_run run;
        struct results_rows rows;
        snprintf(text, sizeof text, "%s%s", HEADER, cases[i].text);
        run = read_text(text);
        assert_int_equal(results_rows_build(&rows, &run, 1), 0);
        assert_int_equal(rows.count, 1);
        assert_int_equal(rows.rows[0].sample_count, cases[i].samples);
        assert_int_equal(rows.rows[0].failed, cases[i].failed);
        assert_true((rows.rows[0].error == NULL) == (cases[i].error == NULL));
        assert_true((rows.rows[0].not_applicable == NULL) == (cases[i].error != NULL));
        if (cases[i].error)
            assert_non_null(strstr(rows.rows[0].error, cases[i].error));
        assert_false(results_row_figure(&rows.rows[0]));
        results_rows_free(&rows);
        results_run_free(&run);
    }
}

static void what_does_not_apply_is_neither_error_nor_figure(void **state)
{
    struct results_run run =
        read_text(HEADER "{\"record\":\"cell\",\"row\":\"lifecycle/a/1x1\",\"family\":\"lifecycle\",\"driver\":\"a\","
                         "\"block\":0,\"error\":null,\"metrics\":{},\"not_applicable\":\"it reports no peers\"}\n");
    struct results_rows rows;
    (void)state;
    assert_int_equal(results_rows_build(&rows, &run, 1), 0);
    assert_int_equal(rows.count, 1);
    assert_int_equal(rows.rows[0].sample_count + rows.rows[0].failed, 0);
    assert_null(rows.rows[0].error);
    assert_string_equal(rows.rows[0].not_applicable, "it reports no peers");
    assert_false(results_row_figure(&rows.rows[0]));
    results_rows_free(&rows);
    results_run_free(&run);
}

#define SAMPLED(block, samples)                                                                                        \
    "{\"record\":\"cell\",\"row\":\"hot/a/64B/1x1\",\"family\":\"hot\",\"driver\":\"a\",\"block\":" #block             \
    ",\"metrics\":{\"samples\":" #samples "}}\n"

static void a_cell_that_stood_still_is_counted(void **state)
{
    struct results_run run =
        read_text(HEADER SAMPLED(2, 6500) SAMPLED(0, 6000) SAMPLED(1, 200) SAMPLED(3, 7000) SAMPLED(4, 1000));
    struct results_rows rows;
    (void)state;
    assert_int_equal(results_rows_build(&rows, &run, 1), 0);
    assert_true(rows.rows[0].fewest == 200 && rows.rows[0].usual == 6000);
    assert_int_equal(rows.rows[0].thin, 1);
    for (int i = 0; i < 5; ++i) /* in the order of the blocks */
        assert_int_equal(rows.rows[0].samples[i].cell->block, i);
    results_rows_free(&rows);
    results_run_free(&run);
}

#define CASE_LINE(driver, clause, verdict)                                                                             \
    "{\"record\":\"case\",\"driver\":\"" driver "\",\"clause\":\"" clause "\",\"verdict\":\"" verdict "\"}\n"

static void a_clause_shows_the_worst_of_its_verdicts(void **state)
{
    struct results_run run =
        read_text(CONFORMANCE CASE_LINE("a", "DEL-002", "pass") CASE_LINE("a", "KILL-001", "unknown")
                      CASE_LINE("a", "DEL-001", "pass") CASE_LINE("a", "DEL-002", "fail")
                          CASE_LINE("a", "DEL-002", "pass") CASE_LINE("b", "DEL-001", "skip"));
    struct results_matrix matrix;
    (void)state;
    assert_int_equal(results_matrix_build(&matrix, &run, 1), 0);
    assert_int_equal(matrix.clause_count, 3);
    assert_string_equal(matrix.clauses[0].id, "DEL-001");
    assert_string_equal(matrix.clauses[1].id, "DEL-002");
    assert_string_equal(matrix.clauses[2].id, "KILL-001");
    assert_int_equal(results_matrix_square(&matrix, 1, 0)->verdict, RESULTS_FAIL);
    assert_int_equal(results_matrix_square(&matrix, 1, 0)->count, 3);
    assert_int_equal(results_matrix_square(&matrix, 1, 1)->verdict, RESULTS_NOT_RUN);
    assert_int_equal(results_matrix_count(&matrix, 0, RESULTS_PASS), 1);
    results_matrix_free(&matrix);
    results_run_free(&run);
}

CASES_MAIN(CASE(one_failed_cell_fails_its_row), CASE(histograms_of_blocks_are_merged),
           CASE(no_block_is_left_out_of_a_percentile), CASE(a_drawing_has_the_percentile_of_its_samples),
           CASE(further_histograms_are_merged_by_name), CASE(lines_are_of_one_placement), CASE(runs_are_not_pooled),
           CASE(shards_are_one_run), CASE(what_does_not_apply_is_neither_error_nor_figure),
           CASE(what_applies_in_some_blocks_only_is_an_error), CASE(a_cell_that_stood_still_is_counted),
           CASE(a_clause_shows_the_worst_of_its_verdicts))
