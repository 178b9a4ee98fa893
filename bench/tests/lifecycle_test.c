/* What opening, closing and noticing a death take shows: a driver that takes longer by a known time. */
#include <cases.h>

#include <math.h>
#include <stdio.h>

#include <ipcmark/histogram.h>

#include "rows_run.h"

static const cJSON *figure(const struct rows_run *run, const char *row)
{
    const cJSON *cell = rows_run_cell(run, row);

    if (rows_run_error(cell) != NULL)
        fail_msg("%s: %s", row, rows_run_error(cell));
    return cell;
}

/* How many of the times of this kind are longer; *total: of how many. */
static uint64_t count_above(const cJSON *cell, const char *kind, double ms, uint64_t *total)
{
    struct ipcmark_histogram *histogram;
    uint64_t count;

    assert_int_equal(ipcmark_histogram_new(&histogram), 0);
    assert_int_equal(
        ipcmark_histogram_add_json(histogram, cJSON_GetObjectItem(cJSON_GetObjectItem(cell, "histograms"), kind)), 0);
    *total = histogram->total;
    count = ipcmark_histogram_count_above(histogram, (uint64_t)(ms * 1e6));
    ipcmark_histogram_free(histogram);
    assert_true(*total >= 5);
    return count;
}

/* All of them where they were made so, and on a machine however busy not most of them where they were not. */
static void expect_longer(const cJSON *slow, const cJSON *usual, const char *kind, double ms)
{
    char mean[64];
    uint64_t total, above = count_above(slow, kind, 0.99 * ms, &total);

    if (above != total)
        fail_msg("%s: only %d of %d are longer than %.0f ms", kind, (int)above, (int)total, ms);
    snprintf(mean, sizeof mean, "%s_ns", kind);
    assert_true(rows_run_metric(slow, mean) >= 0.99e6 * ms);
    above = count_above(usual, kind, 0.99 * ms, &total);
    if (above * 2 > total)
        fail_msg("%s: %d of %d are longer than %.0f ms without reason", kind, (int)above, (int)total, ms);
}

/* Who takes long to tell of the last one that went takes long to find the next one, so opening is a row of its own. */
static void what_takes_longer_shows(void **state)
{
    static const char *const params[] = {"open_ms=20", "close_ms=30&gone_ms=50"};
    char drivers[2][4096], rows[2][128];
    const char *words[] = {
        "--seconds", "0.01", "--driver", drivers[0], "--driver", drivers[1], rows[0], rows[1], "lifecycle/fifo/64B/1x1",
        NULL};
    const cJSON *usual, *slow;
    struct rows_run run;
    double rate;
    (void)state;
    for (size_t i = 0; i < 2; ++i) {
        snprintf(drivers[i], sizeof drivers[i], "%s?%s", COSTLY_DRIVER, params[i]);
        snprintf(rows[i], sizeof rows[i], "lifecycle/costly?%s/64B/1x1", params[i]);
    }
    run = rows_run_undisturbed(words);
    usual = figure(&run, words[8]);
    expect_longer(figure(&run, rows[0]), usual, "open", 20);
    expect_longer(figure(&run, rows[0]), usual, "first_message", 20);
    slow = figure(&run, rows[1]);
    expect_longer(slow, usual, "close", 30);
    expect_longer(slow, usual, "death", 50);
    rate = rows_run_metric(slow, "connects_per_second");
    assert_true(rate > 1 && rate <= 1 / 0.0297);
    rows_run_free(&run);
}

/* A message that was kept for whoever comes is there at once; the first that is sent to it comes 20 ms later. */
static void message_of_before_is_not_the_first(void **state)
{
    static const char params[] = "retain=1&late_ms=20";
    static char driver[4096], row[128];
    const char *words[] = {"--seconds", "0.01", "--driver", driver, row, "lifecycle/fifo/64B/1x1", NULL};
    struct rows_run run;
    (void)state;
    snprintf(driver, sizeof driver, "%s?%s", COSTLY_DRIVER, params);
    snprintf(row, sizeof row, "lifecycle/costly?%s/64B/1x1", params);
    run = rows_run_undisturbed(words);
    expect_longer(figure(&run, row), figure(&run, words[5]), "first_message", 20);
    assert_true(rows_run_metric(figure(&run, row), "connects_per_second") <= 1 / 0.0198);
    rows_run_free(&run);
}

static void who_tells_of_no_death_has_no_figure_of_it(void **state)
{
    const char *words[] = {"--seconds", "0.01", "--driver", MUTE_DRIVER, "lifecycle/mute/64B/1x1", NULL};
    struct rows_run run = rows_run_undisturbed(words);
    const cJSON *cell = figure(&run, words[4]);
    (void)state;
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(cJSON_GetObjectItem(cell, "metrics"), "death_ns")));
    assert_non_null(cJSON_GetStringValue(cJSON_GetObjectItem(cJSON_GetObjectItem(cell, "unmeasured"), "death_ns")));
    assert_null(cJSON_GetObjectItem(cJSON_GetObjectItem(cell, "histograms"), "death"));
    assert_true(rows_run_metric(cell, "close_ns") > 0);
    rows_run_free(&run);
}

static void expect_error(const char *params, const char *expected)
{
    char driver[4096], row[128];
    const char *words[] = {"--seconds", "0.01", "--driver", driver, row, NULL};
    struct rows_run run;
    const char *error;

    snprintf(driver, sizeof driver, "%s?%s", COSTLY_DRIVER, params);
    snprintf(row, sizeof row, "lifecycle/costly?%s/64B/1x1", params);
    run = rows_run(words);
    error = rows_run_error(rows_run_cell(&run, row));
    if (error == NULL || strstr(error, expected) == NULL)
        fail_msg("what is said is: %s", error == NULL ? "nothing" : error);
    assert_int_equal(run.exit_code, 1);
    rows_run_free(&run);
}

static void torn_message_is_an_error(void **state)
{
    (void)state;
    expect_error("tear=1", "5 messages were damaged");
}

/* While it is being closed, a subscriber gets what comes. */
static void gap_within_a_cycle_is_an_error(void **state)
{
    (void)state;
    expect_error("close_ms=30&lose=3", " messages were damaged, lost or doubled");
    expect_error("close_ms=30&twice=3", " messages were damaged, lost or doubled");
}

/* In the middle, where closing the publisher is no reason. */
static void message_of_unknown_fate_is_an_error(void **state)
{
    (void)state;
    expect_error("unknown=20", "messages were not sent");
}

/* 200 us a message are 5000 a second at most. */
static void publisher_that_falls_behind_is_an_error(void **state)
{
    (void)state;
    expect_error("slow_us=200", "messages a second of 20000 were sent");
}

static void drivers_have_figures(void **state)
{
    static const char *const names[] = {"first_message_ns", "open_ns", "close_ns", "connects_per_second", "death_ns"};
    const char *words[] = {"--seconds", "0.02", "lifecycle/mmipc/64B/1x1", "lifecycle/tcp/64B/1x1", NULL};
    struct rows_run run = rows_run_undisturbed(words);
    (void)state;
    for (size_t row = 2; row < 4; ++row) {
        const cJSON *cell = figure(&run, words[row]);
        for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i)
            if (!(rows_run_metric(cell, names[i]) > 0))
                fail_msg("%s: %s is %f", words[row], names[i], rows_run_metric(cell, names[i]));
        assert_true(rows_run_metric(cell, "death_samples") == 10); /* 5 deaths, each told twice */
        assert_true(rows_run_metric(cell, "achieved_rate") >= 18000);
        assert_true(rows_run_metric(cell, "first_message_ns") <= rows_run_metric(cell, "max_ns"));
    }
    rows_run_free(&run);
}

CASES_MAIN(CASE(what_takes_longer_shows), CASE(message_of_before_is_not_the_first),
           CASE(who_tells_of_no_death_has_no_figure_of_it), CASE(torn_message_is_an_error),
           CASE(gap_within_a_cycle_is_an_error), CASE(message_of_unknown_fate_is_an_error),
           CASE(publisher_that_falls_behind_is_an_error), CASE(drivers_have_figures))
