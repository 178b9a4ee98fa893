/* What must not become a figure, and what a figure must show. */
#include <cases.h>

#include <stdlib.h>

#include <ipcmark/histogram.h>

#include "rows_run.h"

enum { RATE = 1000, MESSAGES = 600 };

/* A row of the faulty driver: "latency/faulty?fault=lose/64B/1x1/r1000". */
static struct rows_run run_fault(const char *fault, const char *family, const char *tail, char row[128])
{
    static char driver[4096];
    const char *words[] = {"--seconds", "0.6", "--driver", driver, row, NULL};
    snprintf(driver, sizeof driver, "%s?fault=%s", FAULTY_DRIVER, fault);
    snprintf(row, 128, "%s/faulty?fault=%s/%s", family, fault, tail);
    return rows_run(words);
}

static void must_be_an_error(const char *fault, const char *family, const char *tail, const char *reason)
{
    char row[128];
    struct rows_run run = run_fault(fault, family, tail, row);
    const cJSON *cell = rows_run_cell(&run, row);

    if (rows_run_error(cell) == NULL || strstr(rows_run_error(cell), reason) == NULL)
        fail_msg("%s: '%s' is not said, but: %s", row, reason,
                 rows_run_error(cell) == NULL ? "nothing" : rows_run_error(cell));
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(cell, "metrics")), 0);
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(cell, "histogram")));
    assert_int_equal(run.exit_code, 1);
    rows_run_free(&run);
}

static void lost_message_is_an_error(void **state)
{
    (void)state;
    must_be_an_error("lose", "latency", "64B/1x1/r1000", "1 messages lost");
    must_be_an_error("lose", "throughput", "64B/1x1", "1 messages lost");
}

static void torn_message_is_an_error(void **state)
{
    (void)state;
    must_be_an_error("tear", "latency", "64B/1x1/r1000", "1 messages torn");
    must_be_an_error("tear", "hot", "64B/1x1", "");
}

static void doubled_message_is_an_error(void **state)
{
    (void)state;
    must_be_an_error("double", "latency", "64B/1x1/r1000", "1 messages duplicate");
}

static void unsent_message_is_an_error(void **state)
{
    (void)state;
    must_be_an_error("refuse", "latency", "64B/1x1/r1000", "1 of 600 messages were not sent");
}

static uint64_t count_above(const cJSON *cell, const char *name, uint64_t ns)
{
    struct ipcmark_histogram *histogram;
    uint64_t count;

    assert_int_equal(ipcmark_histogram_new(&histogram), 0);
    assert_int_equal(ipcmark_histogram_add_json(histogram, cJSON_GetObjectItem(cell, name)), 0);
    assert_int_equal(histogram->total, MESSAGES);
    count = ipcmark_histogram_count_above(histogram, ns);
    ipcmark_histogram_free(histogram);
    return count;
}

static void good_driver_behind_it_is_a_figure(void **state)
{
    char row[128];
    struct rows_run run = run_fault("none", "latency", "64B/1x1/r1000", row);
    const cJSON *cell = rows_run_cell(&run, row);
    (void)state;
    assert_null(rows_run_error(cell));
    assert_true(count_above(cell, "histogram", 20000000) < MESSAGES / 2);
    rows_run_free(&run);
}

/* 100 ms at 1000 messages a second: about 100 of them were due meanwhile, and waited 50 ms on average. */
static void stalled_receiver_shows(void **state)
{
    char row[128];
    struct rows_run run = run_fault("stall", "latency", "64B/1x1/r1000", row);
    const cJSON *cell = rows_run_cell(&run, row);
    (void)state;
    assert_null(rows_run_error(cell));
    assert_true(count_above(cell, "histogram", 20000000) >= 70); /* more than 20 ms: 80 of them */
    assert_true(count_above(cell, "histogram", 90000000) >= 5);  /* more than 90 ms: 10 */
    rows_run_free(&run);
}

/* Coordinated omission: while the sender is held it sends nothing that could be late. From the scheduled time its
 * messages are; from the actual time only the one that was held. */
static void held_sender_shows_from_scheduled_time_only(void **state)
{
    char row[128];
    struct rows_run run = run_fault("hold", "latency", "64B/1x1/r1000", row);
    const cJSON *cell = rows_run_cell(&run, row);
    uint64_t late;
    (void)state;
    assert_null(rows_run_error(cell));
    late = count_above(cell, "histogram", 20000000);
    assert_true(late >= 70);
    assert_true(count_above(cell, "histogram_uncorrected", 20000000) <=
                late - 50); /* a busy machine may add some to both */
    rows_run_free(&run);
}

CASES_MAIN(CASE(lost_message_is_an_error), CASE(torn_message_is_an_error), CASE(doubled_message_is_an_error),
           CASE(unsent_message_is_an_error), CASE(good_driver_behind_it_is_a_figure), CASE(stalled_receiver_shows),
           CASE(held_sender_shows_from_scheduled_time_only))
