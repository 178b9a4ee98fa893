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

/* All of them with that parameter, and on a machine however busy not most of them without. */
static void expect_longer(const char *param, const char *kind, double ms)
{
    char driver[4096], row[128];
    const char *words[] = {"--seconds", "0.05", "--driver", driver, row, "lifecycle/fifo/64B/1x1", NULL};
    char mean[64];
    struct rows_run run;
    uint64_t total, above;

    snprintf(driver, sizeof driver, "%s?%s", COSTLY_DRIVER, param);
    snprintf(row, sizeof row, "lifecycle/costly?%s/64B/1x1", param);
    snprintf(mean, sizeof mean, "%s_ns", kind);
    run = rows_run(words);
    above = count_above(figure(&run, row), kind, 0.99 * ms, &total);
    if (above != total)
        fail_msg("%s: only %d of %d are longer than %.0f ms", row, (int)above, (int)total, ms);
    assert_true(rows_run_metric(figure(&run, row), mean) >= 0.99e6 * ms);
    above = count_above(figure(&run, words[5]), kind, 0.99 * ms, &total);
    if (above * 2 > total)
        fail_msg("%s: %d of %d are longer than %.0f ms", words[5], (int)above, (int)total, ms);
    rows_run_free(&run);
}

static void slow_open_shows(void **state)
{
    (void)state;
    expect_longer("open_ms=20", "first_message", 20);
}

static void slow_close_shows(void **state)
{
    (void)state;
    expect_longer("close_ms=30", "close", 30);
}

static void late_news_of_a_death_shows(void **state)
{
    (void)state;
    expect_longer("gone_ms=50", "death", 50);
}

static void slow_close_connects_less_often(void **state)
{
    char driver[4096];
    const char *words[] = {"--seconds", "0.05", "--driver", driver, "lifecycle/costly?close_ms=30/64B/1x1", NULL};
    struct rows_run run;
    double rate;
    (void)state;
    snprintf(driver, sizeof driver, "%s?close_ms=30", COSTLY_DRIVER);
    run = rows_run(words);
    rate = rows_run_metric(figure(&run, words[4]), "connects_per_second");
    assert_true(rate > 1 && rate <= 1 / 0.0299);
    rows_run_free(&run);
}

static void who_tells_of_no_death_has_no_figure_of_it(void **state)
{
    const char *words[] = {"--seconds", "0.05", "--driver", MUTE_DRIVER, "lifecycle/mute/64B/1x1", NULL};
    struct rows_run run = rows_run(words);
    const cJSON *cell = figure(&run, words[4]);
    (void)state;
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(cJSON_GetObjectItem(cell, "metrics"), "death_ns")));
    assert_non_null(cJSON_GetStringValue(cJSON_GetObjectItem(cJSON_GetObjectItem(cell, "unmeasured"), "death_ns")));
    assert_null(cJSON_GetObjectItem(cJSON_GetObjectItem(cell, "histograms"), "death"));
    assert_true(rows_run_metric(cell, "close_ns") > 0);
    rows_run_free(&run);
}

static void torn_message_is_an_error(void **state)
{
    char driver[4096];
    const char *words[] = {"--seconds", "0.05", "--driver", driver, "lifecycle/costly?tear=1/64B/1x1", NULL};
    struct rows_run run;
    const cJSON *cell;
    (void)state;
    snprintf(driver, sizeof driver, "%s?tear=1", COSTLY_DRIVER);
    run = rows_run(words);
    cell = rows_run_cell(&run, words[4]);
    assert_non_null(rows_run_error(cell));
    assert_non_null(strstr(rows_run_error(cell), "damaged"));
    assert_int_equal(run.exit_code, 1);
    rows_run_free(&run);
}

/* Enough cycles for a median, and all that the family promises. */
static void drivers_have_figures(void **state)
{
    static const char *const names[] = {"first_message_ns",    "open_ns",  "close_ns",
                                        "connects_per_second", "death_ns", "p50_ns"};
    const char *words[] = {"--seconds", "0.35", "lifecycle/mmipc/64B/1x1", "lifecycle/tcp/64B/1x1", NULL};
    struct rows_run run = rows_run(words);
    (void)state;
    for (size_t row = 2; row < 4; ++row)
        for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
            const cJSON *cell = figure(&run, words[row]);
            bool may_be_few = i == 5 && rows_run_metric(cell, "samples") < 200;
            if (!(rows_run_metric(cell, names[i]) > 0) && !may_be_few)
                fail_msg("%s: %s is %f", words[row], names[i], rows_run_metric(cell, names[i]));
            assert_true(rows_run_metric(cell, "death_samples") == 20);
        }
    rows_run_free(&run);
}

CASES_MAIN(CASE(slow_open_shows), CASE(slow_close_shows), CASE(late_news_of_a_death_shows),
           CASE(slow_close_connects_less_often), CASE(who_tells_of_no_death_has_no_figure_of_it),
           CASE(torn_message_is_an_error), CASE(drivers_have_figures))
