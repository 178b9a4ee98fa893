/* What a driver spends shows. A known cost is seen in full, since what is known to be spent is spent on any machine,
 * and is seen on the side that has it: what it takes the other one is far less, however busy the machine. */
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

typedef struct rows_run runner(const char *const *words);

/* The rows of these drivers in one run, the costly one with each of these parameters; the caller frees it. */
static struct rows_run run_rows(runner *run, const char *seconds, const char *const *params, size_t count,
                                const char *size, char rows[][128])
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
    return run(words);
}

static const cJSON *figure(const struct rows_run *run, const char *row)
{
    const cJSON *cell = rows_run_cell(run, row);

    if (rows_run_error(cell) != NULL)
        fail_msg("%s: %s", row, rows_run_error(cell));
    return cell;
}

static double metric_of(const struct rows_run *run, const char *row, const char *name)
{
    double value = rows_run_metric(figure(run, row), name);

    if (!(value >= 0))
        fail_msg("%s: %s is %f", row, name, value);
    return value;
}

static void expect(const struct rows_run *run, const char *row, const char *name, double least, double most)
{
    double value = metric_of(run, row, name);

    if (!(value >= least && value <= most))
        fail_msg("%s: %s is %f, not between %f and %f", row, name, value, least, most);
}

/* As fast as it goes; and by itself, where all that was taken off for pacing is there again with it. */
static void cpu_time_of_a_message_shows(void **state)
{
    static const char *const params[] = {"publish_us=150", "deliver_us=150"};
    char rows[2][128];
    struct rows_run run = run_rows(rows_run_undisturbed, "0.05", params, 2, "4KiB", rows);
    (void)state;
    expect(&run, rows[0], "saturated_publisher_cpu_seconds_per_million", 150, INFINITY);
    expect(&run, rows[0], "saturated_subscriber_cpu_seconds_per_million", 0, 100);
    expect(&run, rows[1], "saturated_publisher_cpu_seconds_per_million", 0, 100);
    expect(&run, rows[1], "saturated_subscriber_cpu_seconds_per_million", 150, INFINITY);
    expect(&run, rows[0], "subscriber_cpu_seconds_per_million", 0, 100);
    expect(&run, rows[1], "publisher_cpu_seconds_per_million", 0, 100);
    expect(&run, rows[1], "subscriber_cpu_seconds_per_million", 150, INFINITY);
    assert_true(metric_of(&run, rows[0], "publisher_cpu_seconds_per_million") +
                    metric_of(&run, rows[0], "pacing_cpu_seconds_per_million") >=
                150);
    expect(&run, rows[0], "publisher_cpu_seconds_per_million", 100, INFINITY);
    rows_run_free(&run);
}

/* 2,500 messages at most, and as long as they are sent at most 20 us of CPU time for each of them on either CPU. Of the
 * pile all but the last. */
static void what_is_put_off_is_on_the_account_of_who_does_so(void **state)
{
    static const char *const params[] = {"slow_us=20&pile_us=100"};
    char rows[1][128];
    struct rows_run run = run_rows(rows_run_undisturbed, "0.05", params, 1, "1KiB", rows);
    (void)state;
    expect(&run, rows[0], "saturated_publisher_cpu_seconds_per_million", 90, INFINITY);
    expect(&run, rows[0], "saturated_subscriber_cpu_seconds_per_million", 0, 150);
    rows_run_free(&run);
}

/* A thread beside the one that publishes is no pacing: at 2,000 messages a second it has 500 us for each, if it gets
 * all of a CPU. */
static void what_polls_in_the_publisher_is_on_its_account(void **state)
{
    static const char *const params[] = {"publisher_awake=1"};
    char rows[1][128];
    struct rows_run run = run_rows(rows_run_undisturbed, "0.05", params, 1, "1KiB", rows);
    (void)state;
    expect(&run, rows[0], "publisher_cpu_seconds_per_million", 60, INFINITY);
    expect(&run, rows[0], "pacing_cpu_seconds_per_million", 0, 50);
    rows_run_free(&run);
}

static void system_calls_of_a_message_show(void **state)
{
    static const char *const params[] = {"writes=0", "writes=30"};
    char rows[2][128];
    struct rows_run run = run_rows(rows_run_undisturbed, "0.05", params, 2, "1KiB", rows);
    (void)state;
    if (isnan(rows_run_metric(figure(&run, rows[0]), "saturated_publisher_system_calls_per_message"))) {
        rows_run_free(&run);
        CASES_SKIP("the kernel does not let us count system calls");
    }
    expect(&run, rows[0], "publisher_system_calls_per_message", 0.95, 1.07); /* and none that our requests take */
    expect(&run, rows[0], "saturated_publisher_system_calls_per_message", 0.9, 20);
    expect(&run, rows[1], "publisher_system_calls_per_message", 30.95, 31.07);
    expect(&run, rows[1], "saturated_publisher_system_calls_per_message", 30.9, 50);
    expect(&run, rows[1], "subscriber_system_calls_per_message", 0, 20);
    expect(&run, rows[1], "saturated_subscriber_system_calls_per_message", 0, 20);
    rows_run_free(&run);
}

static void what_a_pair_holds_and_does_at_rest_shows(void **state)
{
    static const char *const params[] = {"fds=0", "fds=3&kib=1024&awake=1"};
    char rows[2][128];
    struct rows_run run = run_rows(rows_run_undisturbed, "0.05", params, 2, "64B", rows);
    double awake = metric_of(&run, rows[1], "subscriber_idle_cpu_share");
    double more = metric_of(&run, rows[1], "bytes_per_pair") - metric_of(&run, rows[0], "bytes_per_pair");
    (void)state;
    assert_true(metric_of(&run, rows[1], "descriptors_per_pair") - metric_of(&run, rows[0], "descriptors_per_pair") ==
                3);
    if (!(fabs(more / 1024 - 1024) <= 102))
        fail_msg("1024 KiB are shown as %f", more / 1024);
    assert_true(awake > 10 * metric_of(&run, rows[0], "subscriber_idle_cpu_share"));
    assert_true(awake > 10 * metric_of(&run, rows[1], "publisher_idle_cpu_share"));
    assert_true(metric_of(&run, rows[1], "idle_cpu_share") == awake);
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
    assert_true(rows_run_metric(cell, "achieved_rate") >= 1800);
}

static void drivers_have_figures(void **state)
{
    static const char *const rows[] = {"cost/mmipc/1KiB/1x1", "cost/tcp/1KiB/1x1"};
    const char *words[] = {"--seconds", "0.05", rows[0], rows[1], NULL};
    struct rows_run run = rows_run_undisturbed(words);
    (void)state;
    for (size_t i = 0; i < 2; ++i)
        check_figure(figure(&run, rows[i]));
    assert_true(isnan(rows_run_metric(figure(&run, rows[1]), "bytes_per_pair"))); /* it is of no size */
    assert_int_equal(run.exit_code, 0);
    rows_run_free(&run);
}

/* One process, which is both sides: what it spends is there once, and nobody's message is sent by it. */
static void harness_has_a_cost_of_its_own(void **state)
{
    const char *words[] = {"--seconds", "0.05", "limit/harness-cost/64KiB", "cost/fifo/64KiB/1x1", NULL};
    static const char *const prefixes[] = {"", "saturated_"};
    struct rows_run run = rows_run_undisturbed(words);
    char name[64];
    (void)state;
    for (size_t i = 0; i < 2; ++i) {
        snprintf(name, sizeof name, "%scpu_seconds_per_million", prefixes[i]);
        expect(&run, words[2], name, 1, INFINITY);
        assert_true(metric_of(&run, words[2], name) < metric_of(&run, words[3], name));
        snprintf(name, sizeof name, "%spublisher_cpu_seconds_per_million", prefixes[i]);
        assert_true(isnan(rows_run_metric(figure(&run, words[2]), name)));
    }
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(figure(&run, words[2]), "limit_kind")), "share");
    rows_run_free(&run);
}

/* otherwise: what else may be said. */
static void expect_error(runner *how, const char *param, const char *size, const char *expected, const char *otherwise)
{
    const char *const params[] = {param};
    char rows[1][128];
    struct rows_run run = run_rows(how, "0.05", params, 1, size, rows);
    const cJSON *cell = rows_run_cell(&run, rows[0]);
    const char *error = rows_run_error(cell);

    if (error == NULL || (strstr(error, expected) == NULL && strstr(error, otherwise) == NULL))
        fail_msg("what is said is: %s", error == NULL ? "nothing" : error);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(cell, "metrics")), 0);
    assert_int_equal(run.exit_code, 1);
    rows_run_free(&run);
}

/* The 500 at most of the warm-up are gone by then. If it is the last of a window, nobody can tell that it has come. */
static void torn_message_is_an_error(void **state)
{
    (void)state;
    expect_error(rows_run_undisturbed, "publish_us=100&tear=520", "1KiB", "1 messages torn", "not received: ");
}

static void torn_message_of_a_further_pair_is_an_error(void **state)
{
    (void)state;
    expect_error(rows_run_undisturbed, "tear_pair=3", "64B", "messages were damaged", "messages were damaged");
}

/* 600 us a message are 1,667 a second at most. */
static void publisher_that_falls_behind_is_an_error(void **state)
{
    (void)state;
    expect_error(rows_run, "slow_us=600", "1KiB", "messages a second of 2000 were sent",
                 "messages a second of 2000 were sent");
}

/* 1 ms a message are 1,000 a second, by whichever thread. */
static void message_that_is_not_by_itself_is_an_error(void **state)
{
    (void)state;
    expect_error(rows_run, "slow_us=200&put_off_us=1000", "1KiB", " had arrived when the last one was sent",
                 " messages a second of 2000 were sent");
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
    run = rows_run_undisturbed(words);
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

CASES_MAIN(CASE(cpu_time_of_a_message_shows), CASE(what_is_put_off_is_on_the_account_of_who_does_so),
           CASE(message_that_is_not_by_itself_is_an_error), CASE(what_polls_in_the_publisher_is_on_its_account),
           CASE(system_calls_of_a_message_show), CASE(what_a_pair_holds_and_does_at_rest_shows),
           CASE(drivers_have_figures), CASE(harness_has_a_cost_of_its_own), CASE(torn_message_is_an_error),
           CASE(torn_message_of_a_further_pair_is_an_error), CASE(publisher_that_falls_behind_is_an_error),
           CASE(calls_that_cannot_be_counted_are_null))
