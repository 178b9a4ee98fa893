/* Coordinated omission: what is late because of a stall shows in the percentiles, all of it. */
#include <cases.h>

#include <math.h>
#include <stdlib.h>

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

CASES_MAIN(CASE(stalled_receiver_shows_in_percentiles), CASE(held_sender_shows_in_percentiles))
