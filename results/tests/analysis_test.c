#include "cases.h"

#include "analysis/fitness.h"
#include "analysis/rows.h"
#include "analysis/statistics.h"
#include "analysis/verdicts.h"
#include "scratch.h"

#include <math.h>

static void the_interval_of_a_median_is_exact(void **state)
{
    double values[] = {9, 1, 8, 2, 7, 3, 6, 4, 5}; /* 9 values: P(X <= 1) = 10/512, so one is left out at each end */
    struct results_spread spread = results_spread(values, 9);
    (void)state;
    assert_true(spread.median == 5 && spread.low == 2 && spread.high == 8);
    assert_true(spread.interval);
    spread = results_spread(values, 8); /* sorted by now: 1 to 8; P(X <= 1) = 9/256 is too much, so none is left out */
    assert_true(spread.median == 4.5 && spread.low == 1 && spread.high == 8);
    assert_true(spread.interval);
}

static void few_values_have_a_range_only(void **state)
{
    double values[] = {3, 1, 2, 5, 4, 6};
    struct results_spread spread = results_spread(values, 5);
    (void)state;
    assert_true(spread.low == 1 && spread.high == 5 && !spread.interval);
    assert_true(results_spread(values, 6).interval);
    assert_true(isnan(results_spread(values, 0).median));
}

static struct results_run read_text(const char *text)
{
    struct results_run run;
    char error[512] = "";
    if (scratch_read(&run, text, error, sizeof error) != 0)
        fail_msg("%s", error);
    return run;
}

#define CELL(driver, block, placement, line, rate)                                                                     \
    "{\"record\":\"cell\",\"row\":\"throughput/" driver "/64B/1x1\",\"family\":\"throughput\",\"driver\":\"" driver    \
    "\",\"size\":64,\"publishers\":1,\"subscribers\":1,\"block\":" #block ",\"placement\":\"" placement                \
    "\",\"line_before_ns\":" #line ",\"line_after_ns\":" #line ",\"metrics\":{\"messages_per_second\":" #rate "}}\n"

static void ratios_pair_cells_of_one_block_and_placement(void **state)
{
    struct results_run run =
        read_text(HEADER CELL("a", 0, "siblings", 25, 100) CELL("b", 0, "siblings", 25, 50)
                      CELL("b", 1, "cluster", 60, 10) CELL("a", 1, "siblings", 25, 100) CELL("a", 2, "distant", 270, 90)
                          CELL("b", 2, "distant", 270, 30) CELL("a", 3, "mixed", 60, 7) CELL("b", 3, "mixed", 60, 1));
    struct results_rows rows;
    struct results_spread ratio;
    (void)state;
    assert_int_equal(results_rows_build(&rows, &run, 1), 0);
    assert_int_equal(rows.count, 2);
    ratio = results_row_ratio(&rows.rows[0], &rows.rows[1], "messages_per_second");
    assert_int_equal(ratio.count, 2); /* not block 1: other placements; not block 3: it moved */
    assert_true(fabs(ratio.low - 2) < 1e-9 && fabs(ratio.high - 3) < 1e-9);
    ratio = results_row_line_ratio(&rows.rows[1], "messages_per_second");
    assert_int_equal(ratio.count, 3);
    assert_true(ratio.high == 50.0 / 25);
    results_rows_free(&rows);
    results_run_free(&run);
}

#define ROUNDS(driver, metrics)                                                                                        \
    "{\"record\":\"cell\",\"row\":\"throughput/" driver "/64B/1x1\",\"family\":\"throughput\",\"driver\":\"" driver    \
    "\",\"block\":0,\"placement\":\"mixed\",\"metrics\":{\"messages_per_second\":7," metrics "}}\n"

static void a_cell_in_rounds_pairs_in_each_placement(void **state)
{
    struct results_run run =
        read_text(HEADER ROUNDS("a", "\"siblings_messages_per_second\":100,\"cluster_messages_per_second\":60")
                      ROUNDS("b", "\"cluster_messages_per_second\":20,\"distant_messages_per_second\":1"));
    struct results_rows rows;
    struct results_spread ratio;
    (void)state;
    assert_int_equal(results_rows_build(&rows, &run, 1), 0);
    ratio = results_row_ratio(&rows.rows[0], &rows.rows[1], "messages_per_second");
    assert_int_equal(ratio.count, 1);
    assert_true(fabs(ratio.median - 3) < 1e-9);
    results_rows_free(&rows);
    results_run_free(&run);
}

static void a_block_is_one_value(void **state)
{
    struct results_run run =
        read_text(HEADER ROUNDS("a", "\"siblings_messages_per_second\":200,\"cluster_messages_per_second\":80")
                      ROUNDS("b", "\"siblings_messages_per_second\":100,\"cluster_messages_per_second\":10"));
    struct results_rows rows;
    struct results_spread ratio;
    (void)state;
    assert_int_equal(results_rows_build(&rows, &run, 1), 0);
    ratio = results_row_ratio(&rows.rows[0], &rows.rows[1], "messages_per_second");
    assert_int_equal(ratio.count, 1);
    assert_true(fabs(ratio.median - 4) < 1e-9); /* of 2 and 8 */
    results_rows_free(&rows);
    results_run_free(&run);
}

static void cells_of_other_runs_are_not_paired(void **state)
{
    struct results_run runs[] = {read_text(HEADER CELL("a", 0, "siblings", 25, 100)),
                                 read_text(HEADER CELL("b", 0, "siblings", 25, 50))};
    struct results_rows rows;
    (void)state;
    assert_int_equal(results_rows_build(&rows, runs, 2), 0);
    assert_int_equal(results_row_ratio(&rows.rows[0], &rows.rows[1], "messages_per_second").count, 0);
    results_rows_free(&rows);
    results_run_free(&runs[0]);
    results_run_free(&runs[1]);
}

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
    char error[512];
    (void)state;
    assert_int_equal(results_run_read(&run, SAMPLES "/bench.jsonl", error, sizeof error), 0);
    assert_int_equal(results_rows_build(&rows, &run, 1), 0);
    row = results_rows_find(&rows, "mmipc", "hot/64B/1x1");
    assert_non_null(row);
    assert_int_equal(row->histogram.total, 12 * 20000);
    assert_int_equal(results_row_placements(row, "siblings"), 4);
    assert_true(results_histogram_percentile(&row->histogram, 0.999) > 0);
    assert_true(isnan(results_row_metric(row, "p999_ns").median)); /* 20 samples beyond in a block are too few */
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

static size_t reasons(const char *text)
{
    struct results_run run = read_text(text);
    struct results_rows rows;
    size_t count;
    assert_int_equal(results_rows_build(&rows, &run, 1), 0);
    count = results_fitness(&run, 1, &rows, NULL, NULL);
    results_rows_free(&rows);
    results_run_free(&run);
    return count;
}

/* Nine blocks, of ten that are planned. */
#define FIT(environment)                                                                                               \
    "{\"record\":\"header\",\"format\":1,\"kind\":\"bench\",\"planned\":10,\"environment\":{\"commit\":"               \
    "\"1234\"," environment "\"flags\":\"-O2\"}}\n" CELL("a", 0, "siblings", 25, 1) CELL("a", 1, "siblings", 25, 1)    \
        CELL("a", 2, "siblings", 25, 1) CELL("a", 3, "siblings", 25, 1) CELL("a", 4, "siblings", 25, 1)                \
            CELL("a", 5, "siblings", 25, 1) CELL("a", 6, "siblings", 25, 1) CELL("a", 7, "siblings", 25, 1)            \
                CELL("a", 8, "siblings", 25, 1)
#define TENTH CELL("a", 9, "siblings", 25, 1)

static void figures_are_fit_only_if_nothing_speaks_against_it(void **state)
{
    (void)state;
    assert_int_equal(reasons(FIT("") TENTH FOOTER), 0);
    assert_int_equal(reasons(FIT("") TENTH), 1);  /* cut short */
    assert_int_equal(reasons(FIT("") FOOTER), 2); /* fewer than planned, and too few */
    assert_int_equal(reasons(FIT("") CELL("a", 9, "mixed", 25, 1) FOOTER), 1);
    assert_int_equal(reasons(FIT("") CELL("a", 9, "distant", 270, 1) FOOTER), 1);
    assert_int_equal(reasons(FIT("\"virtualization\":\"kvm\",") TENTH FOOTER), 1);
    assert_int_equal(reasons(FIT("\"governor\":\"powersave\",") TENTH FOOTER), 1);
    assert_int_equal(reasons(FIT("\"load\":3,\"cpus\":2,") TENTH FOOTER), 1);
}

static void keep(void *context, const char *text)
{
    char *out = context;
    snprintf(out + strlen(out), 2048 - strlen(out), "%s\n", text);
}

/* Two runs are one report only if they are of one machine, one commit, one suite and one version of each driver. */
static void runs_of_different_builds_are_not_fit_together(void **state)
{
#define OF(cpu, commit, suite, version)                                                                                \
    "{\"record\":\"header\",\"format\":1,\"kind\":\"bench\",\"suite_version\":\"" suite                                \
    "\",\"environment\":{\"cpu\":\"" cpu "\",\"commit\":\"" commit                                                     \
    "\"},\"drivers\":[{\"name\":\"d\",\"version\":\"" version "\"}]}\n"
    static const struct {
        const char *other, *why;
    } mixtures[] = {
        {OF("c", "1", "1.0", "1"), NULL},
        {OF("x", "1", "1.0", "1"), "different CPUs were put together: c and x."},
        {OF("c", "2", "1.0", "1"), "different commits were put together: 1 and 2."},
        {OF("c", "1", "1.1", "1"), "different versions of ipcmark were put together: 1.0 and 1.1."},
        {OF("c", "1", "1.0", "3"), "different versions of d were put together: 1 and 3."},
    };
    (void)state;
    for (size_t i = 0; i < sizeof mixtures / sizeof mixtures[0]; ++i) {
        struct results_run runs[] = {read_text(OF("c", "1", "1.0", "1")), read_text(mixtures[i].other)};
        struct results_rows rows = {0};
        char reasons[2048] = "";
        results_fitness(runs, 2, &rows, keep, reasons);
        if (mixtures[i].why ? strstr(reasons, mixtures[i].why) == NULL : strstr(reasons, "put together") != NULL)
            fail_msg("\"%s\" and not \"%s\"", reasons, mixtures[i].why ? mixtures[i].why : "");
        results_run_free(&runs[0]);
        results_run_free(&runs[1]);
    }
}

CASES_MAIN(CASE(the_interval_of_a_median_is_exact), CASE(few_values_have_a_range_only),
           CASE(ratios_pair_cells_of_one_block_and_placement), CASE(a_cell_in_rounds_pairs_in_each_placement),
           CASE(a_block_is_one_value), CASE(cells_of_other_runs_are_not_paired), CASE(one_failed_cell_fails_its_row),
           CASE(histograms_of_blocks_are_merged), CASE(a_clause_shows_the_worst_of_its_verdicts),
           CASE(figures_are_fit_only_if_nothing_speaks_against_it), CASE(runs_of_different_builds_are_not_fit_together))
