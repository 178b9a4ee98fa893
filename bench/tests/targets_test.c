/* What is made of the cells of target rows: verdicts, and the table of them. */
#include <cases.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "../command/targets.h"

enum { BLOCKS = 12, MOST_ROWS = 2 * TARGETS };

static struct row rows[MOST_ROWS];
static struct plan plan;
static struct tally tally;
static struct goal_result results[TARGETS];

static void add_row(const char *name)
{
    char text[256];

    for (size_t i = 0; i < plan.count; ++i)
        if (strcmp(rows[i].name, name) == 0)
            return;
    assert_int_equal(row_parse(&rows[plan.count++], name, text, sizeof text), 0);
}

/* Every row that a target needs. */
static void open_tally(void)
{
    plan = (struct plan){.rows = rows};
    for (size_t i = 0; i < TARGETS; ++i) {
        add_row(targets_goals[i].row);
        for (size_t j = 0; j < 2 && targets_goals[i].rivals[j] != NULL; ++j)
            if (strcmp(targets_goals[i].rivals[j], "line") != 0)
                add_row(targets_goals[i].rivals[j]);
    }
    assert_int_equal(tally_open(&tally, &plan, BLOCKS), 0);
}

static void add(const char *row, unsigned block, const char *placement, const char *metric, double value)
{
    cJSON *record = cJSON_CreateObject(), *metrics = cJSON_AddObjectToObject(record, "metrics");

    cJSON_AddStringToObject(record, "row", row);
    cJSON_AddNumberToObject(record, "block", block);
    cJSON_AddStringToObject(record, "placement", placement);
    cJSON_AddNumberToObject(record, "line_before_ns", 50);
    cJSON_AddNumberToObject(record, "line_after_ns", 50);
    cJSON_AddNullToObject(record, "error");
    cJSON_AddNumberToObject(metrics, row_metric(tally_find(&tally, row)->row), value);
    if (strcmp(metric, row_metric(tally_find(&tally, row)->row)) != 0)
        cJSON_AddNumberToObject(metrics, metric, value);
    assert_non_null(tally_add(&tally, record));
    cJSON_Delete(record);
}

static void add_blocks(const char *row, const char *placement, const char *metric, double value)
{
    for (unsigned block = 0; block < BLOCKS; ++block)
        add(row, block, placement, metric, value + 0.001 * block);
}

static void fail_row(const char *row)
{
    cJSON *record = cJSON_CreateObject();

    cJSON_AddStringToObject(record, "row", row);
    cJSON_AddNumberToObject(record, "block", 0);
    cJSON_AddStringToObject(record, "error", "message 7 is missing");
    assert_non_null(tally_add(&tally, record));
    cJSON_Delete(record);
}

static const struct goal_result *find(const char *name, const char *rival)
{
    for (size_t i = 0; i < TARGETS; ++i)
        if (strcmp(results[i].goal->name, name) == 0 &&
            (rival == NULL || strstr(results[i].goal->rivals[0], rival) != NULL))
            return &results[i];
    fail_msg("there is no target '%s'", name);
    return NULL;
}

static void every_target_has_its_rows(void **state)
{
    (void)state;
    open_tally();
    assert_int_equal(targets_judge(&tally, results), 0);
    for (size_t i = 0; i < TARGETS; ++i) {
        assert_string_equal(targets_verdict(&results[i]), "unknown");
        assert_non_null(tally_find(&tally, results[i].goal->row));
    }
    tally_close(&tally);
}

static void ratio_to_the_line_around_the_cell(void **state)
{
    const struct goal_result *result;
    (void)state;
    open_tally();
    add_blocks("target-hot/mmipc/32B/1x1", "cluster", "p50_ns", 98);
    add_blocks("target-hot/mmipc/64B/1x1", "cluster", "p50_ns", 130);
    assert_int_equal(targets_judge(&tally, results), 0);
    result = find("one way, awake, 32 B, p50", NULL);
    assert_string_equal(targets_verdict(result), "reached");
    assert_true(fabs(result->ratio.median - 98.0055 / 50) < 1e-9 && result->ratio.pairs == BLOCKS);
    assert_true(result->ratio.low < result->ratio.median && result->ratio.median < result->ratio.high);
    assert_true(result->rival_value == 50);
    assert_string_equal(targets_verdict(find("one way, awake, 64 B, p50", NULL)), "not reached");
    tally_close(&tally);
}

/* The faster of FIFO and socket; wake-ups are paired wherever the CPUs were. */
static void harder_rival_counts(void **state)
{
    const struct goal_result *result;
    (void)state;
    open_tally();
    add_blocks("target-wakeup/mmipc/64B/1x1", "mixed", "p50_ns", 30000);
    add_blocks("target-wakeup/fifo/64B/1x1", "cluster", "p50_ns", 20000);
    add_blocks("target-wakeup/unix/64B/1x1", "distant", "p50_ns", 40000);
    add_blocks("target-stream/mmipc/1MiB/1x1", "cluster", "messages_per_second", 10000);
    add_blocks("target-stream/unix/1MiB/1x1", "cluster", "messages_per_second", 1000);
    add_blocks("target-stream/tcp/1MiB/1x1", "cluster", "messages_per_second", 4000);
    assert_int_equal(targets_judge(&tally, results), 0);
    result = find("one way to a sleeping reader", NULL);
    assert_string_equal(result->rival, "target-wakeup/fifo/64B/1x1");
    assert_true(fabs(result->ratio.median - 1.5) < 1e-3);
    assert_string_equal(targets_verdict(result), "not reached");
    result = find("stream, 1 MiB", "unix");
    assert_string_equal(result->rival, "target-stream/tcp/1MiB/1x1");
    assert_true(fabs(result->ratio.median - 2.5) < 1e-3);
    tally_close(&tally);
}

static void error_or_missing_rival_is_unknown(void **state)
{
    (void)state;
    open_tally();
    add_blocks("target-wakeup/mmipc/64B/1x1", "cluster", "p50_ns", 30000);
    add_blocks("target-wakeup/fifo/64B/1x1", "cluster", "p50_ns", 40000);
    fail_row("target-wakeup/unix/64B/1x1");
    fail_row("target-stream/mmipc/64B/1x1");
    add_blocks("target-stream/mmipc/1KiB/1x1", "cluster", "messages_per_second", 10000);
    add_blocks("target-stream/bare-ring/1KiB/1x1", "distant", "messages_per_second", 10000);
    assert_int_equal(targets_judge(&tally, results), 0);
    assert_string_equal(find("one way to a sleeping reader", NULL)->unknown, "its rival's row is an error");
    assert_string_equal(find("stream, 64 B", "fifo")->unknown, "its row is an error");
    assert_string_equal(find("stream, 1 KiB", NULL)->unknown, "too few pairs"); /* never of one placement */
    tally_close(&tally);
}

/* Eleven fast cells and one that was asleep: the p99 of the fast ones is not that of the row. */
static void slow_cell_is_not_left_out_of_the_p99(void **state)
{
    (void)state;
    open_tally();
    for (unsigned block = 0; block < BLOCKS; ++block) {
        cJSON *record = cJSON_Parse("{\"row\":\"target-hot/mmipc/64B/1x1\",\"placement\":\"cluster\",\"error\":null,"
                                    "\"metrics\":{\"p50_ns\":100,\"cluster_p50_ns\":100,\"cluster_p99_ns\":200}}");
        cJSON_AddNumberToObject(record, "block", block);
        if (block == 3)
            cJSON_DeleteItemFromObject(cJSON_GetObjectItem(record, "metrics"), "cluster_p99_ns");
        assert_non_null(tally_add(&tally, record));
        cJSON_Delete(record);
    }
    add_blocks("target-hot/bare-ring/64B/1x1", "cluster", "p99_ns", 150);
    assert_int_equal(targets_judge(&tally, results), 0);
    assert_int_equal(find("one way, awake, 64 B, p99", NULL)->ratio.pairs, BLOCKS - 1);
    assert_string_equal(find("one way, awake, 64 B, p99", NULL)->unknown, "a cell was too slow to have a p99");
    tally_close(&tally);
}

static void absolute_bounds_are_in_the_metrics_unit(void **state)
{
    (void)state;
    open_tally();
    add_blocks("target-idle/mmipc/64B/1x1", "cluster", "cpu_share", 0.00015);
    add_blocks("target-pairs/mmipc/64B/1x16", "cluster", "descriptors_per_pair", 9);
    assert_int_equal(targets_judge(&tally, results), 0);
    assert_string_equal(targets_verdict(find("idle pair, CPU of a process", NULL)),
                        "not reached"); /* + 0.001 × block */
    assert_string_equal(targets_verdict(find("memory a pair, both sides", NULL)), "reached");
    assert_string_equal(targets_verdict(find("descriptors a pair, both sides", NULL)), "not reached");
    tally_close(&tally);
}

/* 10 of 600 are late: more than one in a hundred. */
static void p99_is_of_all_blocks_together(void **state)
{
    const struct goal_result *result;
    (void)state;
    open_tally();
    for (unsigned block = 0; block < BLOCKS; ++block) {
        cJSON *record = cJSON_CreateObject(), *metrics = cJSON_AddObjectToObject(record, "metrics");
        cJSON_AddStringToObject(record, "row", "target-death/mmipc/64B/1x1");
        cJSON_AddNumberToObject(record, "block", block);
        cJSON_AddNullToObject(record, "error");
        cJSON_AddNumberToObject(metrics, "max_ns", 1);
        cJSON_AddItemToObject(record, "histogram",
                              cJSON_Parse(block < 10 ? "{\"unit\":\"ns\",\"significant_digits\":3,\"counts\":[[2000895,"
                                                       "49],[20004863,1]]}"
                                                     : "{\"unit\":\"ns\",\"significant_digits\":3,\"counts\":[[2000895,"
                                                       "50]]}"));
        assert_non_null(tally_add(&tally, record));
        cJSON_Delete(record);
    }
    assert_int_equal(targets_judge(&tally, results), 0);
    result = find("killed peer to disconnect reported, p99", NULL);
    assert_int_equal(result->ratio.pairs, 600);
    assert_true(result->value > 19e6 && result->ratio.low < 3e6 && result->ratio.high > 19e6);
    assert_string_equal(targets_verdict(result), "perhaps not reached");
    assert_string_equal(find("new subscriber to first message, p99", NULL)->unknown, "too few samples");
    tally_close(&tally);
}

static void table_has_a_line_for_each(void **state)
{
    char *text = NULL, *place;
    size_t size, lines = 0;
    FILE *out = open_memstream(&text, &size);
    (void)state;
    assert_non_null(out);
    open_tally();
    add_blocks("target-hot/mmipc/32B/1x1", "cluster", "p50_ns", 98);
    add_blocks("target-pairs/mmipc/64B/1x16", "cluster", "descriptors_per_pair", 131072);
    fail_row("target-wakeup/fifo/64B/1x1");
    assert_int_equal(targets_judge(&tally, results), 0);
    targets_print(out, results);
    fclose(out);
    for (place = text; (place = strchr(place, '\n')) != NULL; ++place)
        ++lines;
    assert_int_equal(lines, 1 + 1 + TARGETS + 2);
    assert_non_null(strstr(text, "98.0 ns"));
    assert_non_null(strstr(text, "line 50.0 ns"));
    assert_non_null(strstr(text, "1.96 (1.96 – 1.96, 12 pairs)  ≤ 2 ×      reached\n"));
    assert_non_null(strstr(text, "≤ 128 KiB  not reached\n")); /* + 0.001 × block */
    free(text);
    tally_close(&tally);
}

static void record_says_what_the_table_says(void **state)
{
    cJSON *record;
    (void)state;
    open_tally();
    add_blocks("target-stream/mmipc/64B/1x1", "cluster", "messages_per_second", 20e6);
    add_blocks("target-stream/fifo/64B/1x1", "cluster", "messages_per_second", 1e6);
    assert_int_equal(targets_judge(&tally, results), 0);
    record = targets_record(find("stream, 64 B", "fifo"));
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(record, "record")), "target");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(record, "rival")), "target-stream/fifo/64B/1x1");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(record, "verdict")), "reached");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(record, "bound_kind")), "at_least");
    assert_true(fabs(cJSON_GetNumberValue(cJSON_GetObjectItem(record, "median")) - 20) < 1e-6);
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(record, "why")));
    cJSON_Delete(record);
    tally_close(&tally);
}

CASES_MAIN(CASE(every_target_has_its_rows), CASE(ratio_to_the_line_around_the_cell), CASE(harder_rival_counts),
           CASE(error_or_missing_rival_is_unknown), CASE(slow_cell_is_not_left_out_of_the_p99),
           CASE(absolute_bounds_are_in_the_metrics_unit), CASE(p99_is_of_all_blocks_together),
           CASE(table_has_a_line_for_each), CASE(record_says_what_the_table_says))
