/* What must not flatter a figure, on a busy machine as well: readers that begin late, and readers that do not sleep. */
#include <cases.h>

#include <sched.h>
#include <stdlib.h>

#include "rows_run.h"

enum { ATTEMPTS = 5 };

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

/* On a single CPU a round of four processes is to last 100 ms, however many CPUs the machine has: of a cell of 250
 * there are three at most, whatever holds them up. */
static void rounds_are_for_the_cpus_that_are_allowed(void **state)
{
    static const char row[] = "fanout/fifo/64B/1x3";
    const char *words[] = {"--seconds", "0.25", "--driver", "fifo", row, NULL};
    cpu_set_t before, one;
    struct rows_run run;
    const cJSON *cell;
    (void)state;

    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    run = rows_run(words);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
    cell = rows_run_cell(&run, row);
    if (rows_run_error(cell) != NULL)
        fail_msg("%s", rows_run_error(cell));
    assert_in_range(rows_run_metric(cell, "rounds"), 1, 3);
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
static bool is_no_wakeup(const char *fault, const char *reason, const char *otherwise)
{
    char row[160];
    struct rows_run run = run_wakeup(fault, row);
    const char *error = rows_run_error(rows_run_cell(&run, row));
    bool is_error = error != NULL;

    if (is_error && strstr(error, reason) == NULL && strstr(error, otherwise) == NULL)
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
    assert_true(is_no_wakeup("fault=spin&at=6&ms=30", awake, awake)); /* asleep at first: it can have a figure */
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

CASES_MAIN(CASE(late_reader_is_not_faster), CASE(rounds_are_for_the_cpus_that_are_allowed),
           CASE(reader_must_have_slept), CASE(nobody_in_its_process_may_spin), CASE(readers_wake_up),
           CASE(what_finds_the_reader_awake_is_not_timed), CASE(reader_that_never_sleeps_has_no_wakeup))
