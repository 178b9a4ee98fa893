/* What a driver spends shows: each known cost by the difference that it makes to the same driver without it. */
#include <cases.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "rows_run.h"

/* The rows of these drivers in one run, the costly one with each of these parameters; the caller frees it. */
static struct rows_run run_rows(const char *seconds, const char *const *params, size_t count, const char *size,
                                char rows[][128])
{
    static char drivers[4][4096];
    const char *words[16] = {"--seconds", seconds};
    size_t at = 2;

    for (size_t i = 0; i < count; ++i) {
        snprintf(drivers[i], sizeof drivers[i], "%s?%s", COSTLY_DRIVER, params[i]);
        snprintf(rows[i], sizeof rows[i], "cost/costly?%s/%s/1x1", params[i], size);
        words[at++] = "--driver";
        words[at++] = drivers[i];
    }
    for (size_t i = 0; i < count; ++i)
        words[at++] = rows[i];
    words[at] = NULL;
    return rows_run(words);
}

static const cJSON *figure(const struct rows_run *run, const char *row)
{
    const cJSON *cell = rows_run_cell(run, row);

    if (rows_run_error(cell) != NULL)
        fail_msg("%s: %s", row, rows_run_error(cell));
    return cell;
}

/* How much more of it the second row has. */
static double more(const struct rows_run *run, const char *row, const char *than, const char *metric)
{
    return rows_run_metric(figure(run, row), metric) - rows_run_metric(figure(run, than), metric);
}

static void expect_near(const char *what, double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%s: %f instead of %f", what, value, expected);
}

enum { TRIES = 6 };

/* The row's figure, and the lowest of those before: whatever else the machine does only adds to it. */
static void keep_least(double *least, const struct rows_run *run, const char *row, const char *metric)
{
    double value = rows_run_metric(figure(run, row), metric);

    assert_true(value >= 0);
    *least = fmin(*least, value);
}

/* As fast as it goes, on either side, to a tenth. The other side is always busy, and the pipe never full: whether
 * somebody has to be woken depends on the machine, and takes about as long. */
static void cpu_time_of_a_message_shows(void **state)
{
    static const char *const params[] = {"publish_us=20&deliver_us=60", "publish_us=40&deliver_us=60", "deliver_us=20",
                                         "deliver_us=40"};
    double least[4] = {INFINITY, INFINITY, INFINITY, INFINITY}, publisher = INFINITY, subscriber = INFINITY;
    (void)state;
    for (int i = 0; i < TRIES && (fabs(publisher - 20) > 2 || fabs(subscriber - 20) > 2); ++i) {
        char rows[4][128];
        struct rows_run run = run_rows("0.07", params, 4, "256B", rows);
        for (size_t row = 0; row < 4; ++row)
            keep_least(&least[row], &run, rows[row],
                       row < 2 ? "saturated_publisher_cpu_seconds_per_million"
                               : "saturated_subscriber_cpu_seconds_per_million");
        publisher = least[1] - least[0];
        subscriber = least[3] - least[2];
        rows_run_free(&run);
    }
    expect_near("publisher", publisher, 20, 2);
    expect_near("subscriber", subscriber, 20, 2);
}

/* What a side spent at least, pacing included: of what is taken off a busy machine makes too much or too little. */
static void expect_spent(const cJSON *cell, const char *side, double least, double most)
{
    char name[64];
    double spent;

    snprintf(name, sizeof name, "%s_cpu_seconds_per_million", side);
    spent = rows_run_metric(cell, name);
    if (strcmp(side, "publisher") == 0)
        spent += rows_run_metric(cell, "pacing_cpu_seconds_per_million");
    if (!(spent >= least && spent <= most))
        fail_msg("%s: %f is not between %f and %f", side, spent, least, most);
}

/* Here somebody is woken for each message, which takes about as long as a small one, and not always the same. */
static void cpu_time_of_a_paced_message_shows(void **state)
{
    static const char *const params[] = {"publish_us=0", "publish_us=100&deliver_us=100"};
    char rows[2][128];
    struct rows_run run = run_rows("0.2", params, 2, "1KiB", rows);
    (void)state;
    expect_spent(figure(&run, rows[0]), "publisher", 1, 90);
    expect_spent(figure(&run, rows[0]), "subscriber", 1, 90);
    expect_spent(figure(&run, rows[1]), "publisher", 100, 200);
    expect_spent(figure(&run, rows[1]), "subscriber", 100, 200);
    assert_true(rows_run_metric(figure(&run, rows[1]), "cpu_seconds_per_million") >= 150);
    rows_run_free(&run);
}

static void system_calls_of_a_message_show(void **state)
{
    /* As slow as that, the pipe is never full: nothing waits for it. */
    static const char *const params[] = {"slow_us=20", "slow_us=20&writes=5"};
    char rows[2][128];
    struct rows_run run = run_rows("0.07", params, 2, "1KiB", rows);
    double base = rows_run_metric(figure(&run, rows[0]), "saturated_publisher_system_calls_per_message");
    (void)state;
    if (isnan(base)) {
        rows_run_free(&run);
        CASES_SKIP("the kernel does not let us count system calls");
    }
    expect_near("one write", base, 1, 0.5);
    expect_near("five writes more", more(&run, rows[1], rows[0], "saturated_publisher_system_calls_per_message"), 5,
                0.2);
    expect_near("nothing for the subscriber",
                more(&run, rows[1], rows[0], "saturated_subscriber_system_calls_per_message"), 0, 1);
    rows_run_free(&run);
}

static void what_a_pair_holds_and_does_at_rest_shows(void **state)
{
    static const char *const params[] = {"fds=0", "fds=3&kib=1024&awake_percent=20"};
    char rows[2][128];
    struct rows_run run = run_rows("0.07", params, 2, "64B", rows);
    double idle = rows_run_metric(figure(&run, rows[0]), "idle_cpu_share");
    double awake = rows_run_metric(figure(&run, rows[1]), "subscriber_idle_cpu_share");
    (void)state;
    expect_near("descriptors", more(&run, rows[1], rows[0], "descriptors_per_pair"), 3, 0.01);
    expect_near("KiB", more(&run, rows[1], rows[0], "bytes_per_pair") / 1024, 1024, 102);
    assert_true(rows_run_metric(figure(&run, rows[1]), "idle_seconds") >= 2);
    assert_true(idle >= 0 && idle < 0.05);
    if (!(awake > 0.06 && awake < 0.25)) /* it wakes up late where many want the CPU */
        fail_msg("20 %% of a CPU are shown as %f", awake);
    rows_run_free(&run);
}

static void check_figure(const cJSON *cell)
{
    static const char *const metrics[] = {"publisher_cpu_seconds_per_million",
                                          "subscriber_cpu_seconds_per_million",
                                          "saturated_publisher_cpu_seconds_per_million",
                                          "saturated_subscriber_cpu_seconds_per_million",
                                          "subscriber_switches_per_message",
                                          "pacing_cpu_seconds_per_million",
                                          "samples"};

    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; ++i)
        if (!(rows_run_metric(cell, metrics[i]) > 0))
            fail_msg("%s is %f", metrics[i], rows_run_metric(cell, metrics[i]));
    assert_true(rows_run_metric(cell, "achieved_rate") > 1000);
}

static void drivers_have_figures(void **state)
{
    static const char *const rows[] = {"cost/mmipc/1KiB/1x1", "cost/tcp/1KiB/1x1"};
    const char *words[] = {"--seconds", "0.1", rows[0], rows[1], NULL};
    struct rows_run run = rows_run(words);
    (void)state;
    for (size_t i = 0; i < 2; ++i)
        check_figure(figure(&run, rows[i]));
    assert_true(isnan(rows_run_metric(figure(&run, rows[1]), "bytes_per_pair"))); /* it is of no size */
    assert_int_equal(run.exit_code, 0);
    rows_run_free(&run);
}

/* After the 500 at most of the warm-up. */
static void torn_message_is_an_error(void **state)
{
    static const char *const params[] = {"publish_us=100&tear=700"};
    char rows[1][128];
    struct rows_run run = run_rows("0.1", params, 1, "1KiB", rows);
    const cJSON *cell = rows_run_cell(&run, rows[0]);
    (void)state;
    if (rows_run_error(cell) == NULL || strstr(rows_run_error(cell), "1 messages torn") == NULL)
        fail_msg("what is said is: %s", rows_run_error(cell) == NULL ? "nothing" : rows_run_error(cell));
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(cell, "metrics")), 0);
    assert_int_equal(run.exit_code, 1);
    rows_run_free(&run);
}

/* For this process and all that it starts, from here on. */
static void forbid_counting(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_perf_event_open, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof filter[0], .filter = filter};

    assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

/* The last case: nobody in this process may count any more. */
static void calls_that_cannot_be_counted_are_null(void **state)
{
    static const char *const names[] = {"publisher_system_calls_per_message", "subscriber_system_calls_per_message",
                                        "saturated_publisher_system_calls_per_message",
                                        "saturated_subscriber_system_calls_per_message"};
    const char *words[] = {"--seconds", "0.05", "cost/fifo/1KiB/1x1", NULL};
    struct rows_run run;
    const cJSON *cell;
    (void)state;
    forbid_counting();
    run = rows_run(words);
    cell = figure(&run, words[2]);
    for (size_t i = 0; i < 4; ++i) {
        const char *why = cJSON_GetStringValue(cJSON_GetObjectItem(cJSON_GetObjectItem(cell, "unmeasured"), names[i]));
        assert_true(cJSON_IsNull(cJSON_GetObjectItem(cJSON_GetObjectItem(cell, "metrics"), names[i])));
        assert_non_null(why);
        assert_non_null(strstr(why, "does not let us count"));
    }
    assert_true(rows_run_metric(cell, "cpu_seconds_per_million") > 0);
    rows_run_free(&run);
}

CASES_MAIN(CASE(cpu_time_of_a_message_shows), CASE(cpu_time_of_a_paced_message_shows),
           CASE(system_calls_of_a_message_show), CASE(what_a_pair_holds_and_does_at_rest_shows),
           CASE(drivers_have_figures), CASE(torn_message_is_an_error), CASE(calls_that_cannot_be_counted_are_null))
