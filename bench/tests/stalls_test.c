/* What a figure must show, and what it must not: coordinated omission, and readers that do not sleep. */
#include <cases.h>

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include <ipcmark/histogram.h>

#include "rows_run.h"

/* Messages of a row, one a millisecond; its receiver or its sender is stalled once, in the middle. */
enum { RATE = 1000, MESSAGES = 600, STALL_MS = 100, WARM_UP = 200, ATTEMPTS = 5 };

/* The pipe holds 1 MiB: the sender is held up by a receiver that is stalled, and sends late what was due meanwhile. */
#define LARGE "64KiB/1x1/r1000"
#define SMALL "64B/1x1/r1000"

static const double MS = 1e6;
static const double QUIET_MS = 20; /* a control that shows more says that the machine is stalled itself */
static const double CALM_MS = 5;   /* one that shows no more says that it is not */

struct figure {
    struct ipcmark_histogram *corrected, *uncorrected;
};

/* False: not all of it was sent in time. */
static bool add(struct figure *figure, const cJSON *cell)
{
    const uint64_t before = figure->corrected->total;
    const char *error = rows_run_error(cell);

    if (error != NULL && strstr(error, " messages a second of ") != NULL)
        return false;
    if (error != NULL)
        fail_msg("%s", error);
    assert_int_equal(ipcmark_histogram_add_json(figure->corrected, cJSON_GetObjectItem(cell, "histogram")), 0);
    assert_int_equal(
        ipcmark_histogram_add_json(figure->uncorrected, cJSON_GetObjectItem(cell, "histogram_uncorrected")), 0);
    assert_int_equal(figure->corrected->total, before + MESSAGES);
    return true;
}

static void begin(struct figure *figure)
{
    assert_int_equal(ipcmark_histogram_new(&figure->corrected), 0);
    assert_int_equal(ipcmark_histogram_new(&figure->uncorrected), 0);
}

static void end(struct figure *figure)
{
    ipcmark_histogram_free(figure->corrected);
    ipcmark_histogram_free(figure->uncorrected);
}

static double percentile_ms(const struct ipcmark_histogram *histogram, double percent)
{
    return (double)ipcmark_histogram_percentile(histogram, percent) / MS;
}

/* All that was due during a stall waits for its end: the first of them as long as it lasts, each one after it a
 * millisecond less. */
static double expected_ms(double percent)
{
    double late = (MESSAGES - ceil(percent / 100 * MESSAGES)) * 1000 / RATE;
    return late < STALL_MS ? STALL_MS - late : 0;
}

/* The row, and a control after it. */
struct measured {
    struct figure figure;
    bool is_whole;
    double noise_ms; /* for which the control was stalled; infinity: too long to be a figure */
};

static void measure(struct measured *out, const char *fault, const char *tail)
{
    char drivers[2][4096], rows[2][160];
    const char *words[] = {"--seconds", "0.6", "--driver", drivers[0], "--driver", drivers[1], rows[0], rows[1], NULL};
    struct figure control;
    struct rows_run run;
    bool control_is_whole;

    snprintf(drivers[0], sizeof drivers[0], "%s?fault=%s&at=%d", FAULTY_DRIVER, fault, WARM_UP + MESSAGES / 2);
    snprintf(rows[0], sizeof rows[0], "latency/faulty?fault=%s&at=%d/%s", fault, WARM_UP + MESSAGES / 2, tail);
    snprintf(drivers[1], sizeof drivers[1], "%s?fault=none", FAULTY_DRIVER);
    snprintf(rows[1], sizeof rows[1], "latency/faulty?fault=none/%s", tail);
    begin(&out->figure);
    begin(&control);
    run = rows_run(words);
    out->is_whole = add(&out->figure, rows_run_cell(&run, rows[0]));
    control_is_whole = add(&control, rows_run_cell(&run, rows[1]));
    rows_run_free(&run);
    out->noise_ms = control_is_whole ? (double)ipcmark_histogram_maximum(control.corrected) / MS : INFINITY;
    end(&control);
}

/* The corrected figure must be a triangle, at each percentile. No message can have waited less: so many were due. That
 * some waited longer may be the machine's doing. */
static bool shows_the_stall(const struct ipcmark_histogram *histogram, double noise_ms)
{
    static const double percents[] = {50, 75, 90, 95, 99, 99.9};
    bool is_triangle = true;

    for (size_t i = 0; i < sizeof percents / sizeof percents[0]; ++i) {
        double expected = expected_ms(percents[i]), seen = percentile_ms(histogram, percents[i]);
        if (seen < expected - 1)
            fail_msg("p%g is %.1f ms, and should be %.1f", percents[i], seen, expected);
        is_triangle = is_triangle && seen <= expected + 10 + noise_ms;
        print_message("p%g is %.1f ms, and should be %.1f\n", percents[i], seen, expected);
    }
    return is_triangle;
}

/* The actual time of sending shows only those that lay in the pipe already, or the one that was held. */
static bool hides_the_stall(const struct ipcmark_histogram *histogram, double noise_ms)
{
    static const double percents[] = {50, 75, 90, 95};
    bool is_hidden = true;

    for (size_t i = 0; i < sizeof percents / sizeof percents[0]; ++i) {
        double seen = percentile_ms(histogram, percents[i]);
        is_hidden = is_hidden && seen <= 10 + noise_ms;
        print_message("uncorrected, p%g is %.1f ms\n", percents[i], seen);
    }
    return is_hidden;
}

/* That a message has waited for less than it must have is a failure at once, whatever the machine. On one that stalls
 * by itself, and shows it in the control as well, nothing can be said of the rest; without the control it is no excuse.
 */
static void must_show_in_percentiles(const char *fault, const char *tail)
{
    unsigned wrong = 0;

    for (int i = 0; i < ATTEMPTS; ++i) {
        struct measured measured;
        const struct figure *figure = &measured.figure;
        bool is_right;
        measure(&measured, fault, tail);
        is_right = measured.is_whole && shows_the_stall(figure->corrected, measured.noise_ms) &&
                   hides_the_stall(figure->uncorrected, measured.noise_ms) && measured.noise_ms <= QUIET_MS;
        end(&measured.figure);
        if (is_right)
            return;
        wrong += measured.noise_ms <= CALM_MS;
        print_message("and the control was stalled for %.1f ms\n", measured.noise_ms);
    }
    if (wrong > 1)
        fail_msg("%u times, some percentiles were not as they should be on a calm machine", wrong);
    exit(77);
}

static void stalled_receiver_shows_in_percentiles(void **state)
{
    (void)state;
    must_show_in_percentiles("stall", LARGE);
}

/* While the sender is held it sends nothing that could be late. */
static void held_sender_shows_in_percentiles(void **state)
{
    (void)state;
    must_show_in_percentiles("hold", SMALL);
}

/* ---- streams ---- */

/* Each 50 messages are a round, after eight that warm up. A reader that begins LATE_MS later than the publisher is not
 * to be any faster for it: the round lasted as long, whatever the machine, since the pipe holds less than a message. */
static void late_reader_is_not_faster(void **state)
{
    enum { ROUND = 50, WARM_UP_LARGE = 8, LATE_MS = 500 };
    char driver[4096], row[160];
    const char *words[] = {"--seconds", "0.01", "--driver", driver, row, NULL};
    struct rows_run run;
    const cJSON *cell;
    (void)state;

    snprintf(row, sizeof row, "size/faulty?fault=stall&at=%d&every=%d&ms=%d/4MiB/1x1", WARM_UP_LARGE + 1, ROUND,
             LATE_MS);
    snprintf(driver, sizeof driver, "%s?fault=stall&at=%d&every=%d&ms=%d", FAULTY_DRIVER, WARM_UP_LARGE + 1, ROUND,
             LATE_MS);
    run = rows_run(words);
    cell = rows_run_cell(&run, row);
    if (rows_run_error(cell) != NULL)
        fail_msg("%s", rows_run_error(cell));
    assert_int_equal(rows_run_metric(cell, "sent"), ROUND);
    assert_in_range(rows_run_metric(cell, "samples"), ROUND - 2, ROUND);
    assert_true(rows_run_metric(cell, "messages_per_second") > 0);
    assert_true(rows_run_metric(cell, "messages_per_second") <= ROUND * 1000. / LATE_MS);
    rows_run_free(&run);
}

/* ---- wakeup ---- */

static struct rows_run run_wakeup(const char *fault, char row[160])
{
    static char driver[4096];
    const char *words[] = {"--driver", driver, row, NULL};

    snprintf(driver, sizeof driver, "%s?%s", FAULTY_DRIVER, fault);
    snprintf(row, 160, "wakeup/faulty?%s/64B/1x1", fault);
    return rows_run(words);
}

/* False: it is a figure. */
static bool is_no_wakeup(const char *fault, const char *reason, const char * or)
{
    char row[160];
    struct rows_run run = run_wakeup(fault, row);
    const char *error = rows_run_error(rows_run_cell(&run, row));
    bool is_error = error != NULL;

    if (is_error && strstr(error, reason) == NULL && strstr(error, or) == NULL)
        fail_msg("%s: '%s' is not said, but: %s", row, reason, error);
    assert_int_equal(run.exit_code, is_error);
    rows_run_free(&run);
    return is_error;
}

static const char too_busy[] = " of a CPU, where it should sleep", awake[] = "the reader had slept before ";

static void reader_must_have_slept(void **state)
{
    (void)state;
    assert_true(is_no_wakeup("fault=spin&at=205&ms=15", awake, awake));
}

/* Where others want its CPU, a thread that spins uses less of it. */
static void nobody_in_its_process_may_spin(void **state)
{
    (void)state;
    for (int i = 0; i < ATTEMPTS; ++i)
        if (is_no_wakeup("fault=busy", too_busy, awake))
            return;
    rows_run_skip_if_busy("others had the CPU that its spinning thread wanted");
    fail_msg("a thread that never sleeps was not seen");
}

/* The bare ring's reader polls. */
static void reader_that_never_sleeps_has_no_wakeup(void **state)
{
    static const char row[] = "wakeup/bare-ring/64B/1x1";
    const char *words[] = {"--driver", BARE_RING, row, NULL};
    struct rows_run run = rows_run(words);
    const cJSON *cell = rows_run_cell(&run, row);
    (void)state;
    assert_null(rows_run_error(cell));
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(cell, "not_applicable")),
                        "its reader stays awake between messages");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(cell, "metrics")), 0);
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(cell, "histogram")));
    assert_int_equal(run.exit_code, 0);
    rows_run_free(&run);
}

/* How many messages found the reader asleep. */
static double count_wake_ups(const struct rows_run *run)
{
    const cJSON *cell = cJSON_GetArrayItem(run->cells, 0);

    if (rows_run_error(cell) != NULL)
        fail_msg("%s", rows_run_error(cell));
    assert_true(rows_run_metric(cell, "slept") == rows_run_metric(cell, "samples"));
    assert_true(rows_run_metric(cell, "p50_ns") > 0);
    assert_true(rows_run_metric(cell, "reader_cpu_share") < 0.25);
    return rows_run_metric(cell, "samples");
}

static void readers_wake_up(void **state)
{
    static const char *const rows[] = {"wakeup/tcp/64B/1x1", "wakeup/mmipc/64B/1x1"};
    struct rows_run runs[2];
    (void)state;
    rows_run_side_by_side(rows, 2, runs);
    for (size_t i = 0; i < 2; ++i) {
        assert_in_range(count_wake_ups(&runs[i]), 200, 220);
        rows_run_free(&runs[i]);
    }
}

/* The last eight of 240, warm-up and all: each is there before the reader has done with the one before, unless the
 * sender is held up for longer than that. */
static void what_finds_the_reader_awake_is_not_timed(void **state)
{
    static const char fault[] = "fault=spin&at=232&ms=30";
    char driver[4096], row[160];
    const char *words[] = {"--driver", driver, row, NULL};
    (void)state;

    snprintf(driver, sizeof driver, "%s?%s", FAULTY_DRIVER, fault);
    snprintf(row, sizeof row, "wakeup/faulty?%s/64B/1x1", fault);
    for (int i = 0; i < ATTEMPTS; ++i) {
        struct rows_run run = rows_run_undisturbed(words);
        double samples = count_wake_ups(&run);
        rows_run_free(&run);
        if (samples <= 212)
            return;
    }
    rows_run_skip_if_busy("the sender was held up");
    fail_msg("messages that find the reader awake are timed");
}

CASES_MAIN(CASE(stalled_receiver_shows_in_percentiles), CASE(held_sender_shows_in_percentiles),
           CASE(late_reader_is_not_faster), CASE(reader_must_have_slept), CASE(nobody_in_its_process_may_spin),
           CASE(readers_wake_up), CASE(what_finds_the_reader_awake_is_not_timed),
           CASE(reader_that_never_sleeps_has_no_wakeup))
