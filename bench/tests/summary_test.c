#include <cases.h>

#include <math.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "../command/session.h"
#include "../command/summary.h"

enum { BLOCKS = 12 };

static const char *const names[] = {"hot/mmipc/64B/1x1",   "throughput/mmipc/64B/1x1", "throughput/fifo/64B/1x1",
                                    "limit/bare-ring/64B", "fanout/mmipc/64B/1x4",     "fanout/fifo/64B/1x4"};
enum { HOT, STREAM, FIFO, RING, FANOUT, FANOUT_FIFO, ROWS };

static const struct session_sums quiet = {0, 1, 0}, busy = {99, 1, 0};
static struct plan plan;
static struct row rows[ROWS];
static struct tally tally;
static struct summary_row summary[ROWS];

static int open_tally(void **state)
{
    char text[256];
    (void)state;
    plan = (struct plan){.rows = rows, .count = ROWS};
    for (size_t i = 0; i < ROWS; ++i)
        assert_int_equal(row_parse(&rows[i], names[i], text, sizeof text), 0);
    return tally_open(&tally, &plan, BLOCKS);
}

static int close_tally(void **state)
{
    (void)state;
    tally_close(&tally);
    return 0;
}

static void add(int row, unsigned block, const char *placement, double line, double figure, const char *error)
{
    cJSON *record = cJSON_CreateObject(), *metrics = cJSON_AddObjectToObject(record, "metrics");
    cJSON_AddStringToObject(record, "row", names[row]);
    cJSON_AddNumberToObject(record, "block", block);
    cJSON_AddStringToObject(record, "placement", placement);
    cJSON_AddNumberToObject(record, "line_before_ns", line - 2);
    cJSON_AddNumberToObject(record, "line_after_ns", line + 2);
    cJSON_AddItemToObject(record, "error", error == NULL ? cJSON_CreateNull() : cJSON_CreateString(error));
    if (error == NULL)
        cJSON_AddNumberToObject(metrics, row_metric(&rows[row]), figure);
    assert_non_null(tally_add(&tally, record));
    assert_null(tally_add(&tally, record)); /* a second time */
    cJSON_Delete(record);
}

static void ratios_are_of_pairs(void **state)
{
    (void)state;
    open_tally(NULL);
    add(HOT, 0, "cluster", 50, 100, NULL);
    add(HOT, 1, "distant", 200, 800, NULL);
    add(HOT, 2, "mixed", 50, 50000, NULL);
    add(HOT, 3, "cluster", 50, 150, NULL);
    assert_int_equal(summary_make(&tally, summary), 0);
    assert_int_equal(summary[HOT].limit.pairs, 3);
    assert_true(summary[HOT].limit.median == 3); /* of 2, 4, 3 */
    assert_string_equal(summary[HOT].limit_name, "line");
    assert_true(summary[HOT].median == 475 && summary[HOT].low == 100 && summary[HOT].high == 50000);
    close_tally(NULL);
}

static void throughput_is_compared_with_ring_and_rivals(void **state)
{
    (void)state;
    open_tally(NULL);
    for (unsigned block = 0; block < 4; ++block) {
        add(STREAM, block, "cluster", 50, 20e6, NULL);
        add(RING, block, block == 0 ? "cluster" : "distant", 50, 40e6, NULL);
        add(FIFO, block, block < 2 ? "cluster" : "distant", 50, block == 0 ? 1e6 : 2e6, NULL);
    }
    assert_int_equal(summary_make(&tally, summary), 0);
    assert_int_equal(summary[STREAM].limit.pairs, 1);
    assert_true(summary[STREAM].limit.median == 0.5);
    assert_int_equal(summary[STREAM].fifo.pairs, 2);
    assert_true(summary[STREAM].fifo.median == 15);
    assert_int_equal(summary[FIFO].fifo.pairs, 0);
    close_tally(NULL);
}

static void verdict_minds_the_interval(void **state)
{
    const struct ratio ratio = {3, 10, 2, 5}, exact = {3, 10, 3, 3}, few = {3, 4, NAN, NAN};
    (void)state;
    assert_string_equal(ratio_verdict(&ratio, 5, true), "reached");
    assert_string_equal(ratio_verdict(&ratio, 4, true), "perhaps reached");
    assert_string_equal(ratio_verdict(&ratio, 2.5, true), "perhaps not reached");
    assert_string_equal(ratio_verdict(&ratio, 1.5, true), "not reached");
    assert_string_equal(ratio_verdict(&ratio, 2, false), "reached");
    assert_string_equal(ratio_verdict(&ratio, 2.5, false), "perhaps reached");
    assert_string_equal(ratio_verdict(&ratio, 4, false), "perhaps not reached");
    assert_string_equal(ratio_verdict(&ratio, 5.5, false), "not reached");
    assert_string_equal(ratio_verdict(&exact, 3, true), "reached");
    assert_string_equal(ratio_verdict(&exact, 3, false), "reached");
    assert_string_equal(ratio_verdict(&few, 9, true), "perhaps reached");
}

/* One cell saw the cluster most, the other the distant CPUs; both saw both. */
static void rounds_find_their_class(void **state)
{
    static const struct {
        int row;
        const char *placement;
        double cluster, distant;
    } cells[] = {{STREAM, "cluster", 30e6, 4e6}, {RING, "distant", 60e6, 5e6}};
    (void)state;
    open_tally(NULL);
    for (size_t i = 0; i < 2; ++i) {
        cJSON *record = cJSON_CreateObject(), *metrics = cJSON_AddObjectToObject(record, "metrics");
        cJSON_AddStringToObject(record, "row", names[cells[i].row]);
        cJSON_AddNumberToObject(record, "block", 0);
        cJSON_AddStringToObject(record, "placement", cells[i].placement);
        cJSON_AddNullToObject(record, "error");
        cJSON_AddNumberToObject(metrics, "messages_per_second", 1);
        cJSON_AddNumberToObject(metrics, "cluster_messages_per_second", cells[i].cluster);
        cJSON_AddNumberToObject(metrics, "distant_messages_per_second", cells[i].distant);
        assert_non_null(tally_add(&tally, record));
        cJSON_Delete(record);
    }
    assert_int_equal(summary_make(&tally, summary), 0);
    assert_int_equal(summary[STREAM].limit.pairs, 2);
    assert_true(fabs(summary[STREAM].limit.median - (0.5 + 0.8) / 2) < 1e-9);
    close_tally(NULL);
}

/* They are not pinned: the line between two CPUs says nothing of them. */
static void fanout_is_paired_by_block_only(void **state)
{
    (void)state;
    open_tally(NULL);
    add(FANOUT, 0, "cluster", 50, 6e6, NULL);
    add(FANOUT, 1, "mixed", 50, 8e6, NULL);
    add(FANOUT, 2, "mixed", 50, 9e6, NULL);
    add(FANOUT_FIFO, 0, "distant", 50, 1e6, NULL);
    add(FANOUT_FIFO, 1, "cluster", 50, 1e6, NULL);
    assert_int_equal(summary_make(&tally, summary), 0);
    assert_int_equal(summary[FANOUT].fifo.pairs, 2);
    assert_true(summary[FANOUT].fifo.median == 7);
    close_tally(NULL);
}

static void one_failed_cell_fails_its_row(void **state)
{
    char doubts[2048];
    (void)state;
    open_tally(NULL);
    add(FIFO, 0, "cluster", 50, 1e6, NULL);
    add(STREAM, 0, "cluster", 50, 20e6, NULL);
    add(FIFO, 1, "cluster", 50, 0, "3 messages lost");
    assert_int_equal(summary_make(&tally, summary), 0);
    assert_true(isnan(summary[FIFO].median));
    assert_string_equal(summary[FIFO].row->error, "3 messages lost");
    assert_int_equal(summary[STREAM].fifo.pairs, 0);
    summary_doubts(&tally, &quiet, "-O2", doubts, sizeof doubts);
    assert_non_null(strstr(doubts, "1 of 3 cells are errors"));
    close_tally(NULL);
}

static void doubts_name_their_reason(void **state)
{
    char doubts[2048];
    (void)state;
    open_tally(NULL);
    add(HOT, 0, "mixed", 50, 100, NULL);
    summary_doubts(&tally, &busy, "-Og", doubts, sizeof doubts);
    assert_non_null(strstr(doubts, "not idle: load 99"));
    assert_non_null(strstr(doubts, "moved during 1 of 1 cells"));
    assert_non_null(strstr(doubts, "not an optimised one"));
    tally.blocks = 4;
    summary_doubts(&tally, &busy, "-Og", doubts, sizeof doubts);
    assert_non_null(strstr(doubts, "4 blocks are too few"));
    tally.blocks = BLOCKS;
    assert_non_null(strstr(doubts, "Only 1 of 72 cells"));
    close_tally(NULL);
}

CASES_MAIN(CASE(ratios_are_of_pairs), CASE(throughput_is_compared_with_ring_and_rivals),
           CASE(verdict_minds_the_interval), CASE(rounds_find_their_class), CASE(fanout_is_paired_by_block_only),
           CASE(one_failed_cell_fails_its_row), CASE(doubts_name_their_reason))
