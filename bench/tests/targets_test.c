/* A transport that loses, doubles or damages a message makes each target row an error that names it. (That right ones
 * are figures is in the test of the command.) */
#include <cases.h>

#include <stdlib.h>
#include <unistd.h>

#include "faulty_peer.h"
#include "rows_run.h"

static char programs[] = "/tmp/bench-programs.XXXXXX";

static void link_program(const char *name, const char *target)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", programs, name);
    assert_int_equal(target == NULL ? unlink(path) : symlink(target, path), 0);
}

/* With a faulty peer among the programs. */
static struct rows_run run_with(const char *fault, const char *const *words)
{
    struct rows_run run;

    strcpy(programs + strlen(programs) - 6, "XXXXXX");
    assert_non_null(mkdtemp(programs));
    link_program("ipcmark-bench-peer", FAULTY_PEER);
    link_program("ipcmark-guard", GUARD);
    assert_int_equal(setenv("IPCMARK_EXEC_PATH", programs, 1), 0);
    assert_int_equal(setenv("PEER_FAULT", fault, 1), 0);
    run = rows_run(words);
    unsetenv("PEER_FAULT");
    unsetenv("IPCMARK_EXEC_PATH");
    link_program("ipcmark-bench-peer", NULL);
    link_program("ipcmark-guard", NULL);
    assert_int_equal(rmdir(programs), 0);
    return run;
}

static void need_two_cpus(void)
{
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
        CASES_SKIP("a CPU for each side is needed");
}

static void expect_errors(const char *fault, const char *expected, const char *const *words)
{
    struct rows_run run;

    need_two_cpus();
    run = run_with(fault, words);
    for (size_t i = 2; words[i] != NULL; ++i) {
        const cJSON *cell = rows_run_cell(&run, words[i]);
        const char *error = rows_run_error(cell);
        if (error == NULL || strstr(error, expected) == NULL)
            fail_msg("%s: what is said is: %s", words[i], error == NULL ? "nothing" : error);
        assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(cell, "metrics")), 0);
    }
    assert_int_equal(run.exit_code, 1);
    rows_run_free(&run);
}

static void damaged_messages_are_errors(void **state)
{
    const char *words[] = {"--seconds",
                           "0.01",
                           "target-hot/mmipc/64B/1x1",
                           "target-hot/bare-ring/32B/1x1",
                           "target-wakeup/unix/64B/1x1",
                           "target-stream/fifo/64B/1x1",
                           "target-stream/mmipc/1MiB/1x1",
                           "target-fanout/mmipc/1MiB/1x8",
                           "target-idle/mmipc/64B/1x1",
                           NULL};
    (void)state;
    expect_errors("tear", "message 14 ", words);
}

static void lost_messages_are_errors(void **state)
{
    const char *words[] = {"--seconds", "0.01", "target-wakeup/fifo/64B/1x1", "target-stream/tcp/64B/1x1", NULL};
    (void)state;
    expect_errors("lose", "message 14 ", words);
}

static void doubled_messages_are_errors(void **state)
{
    const char *words[] = {"--seconds", "0.01", "target-wakeup/mmipc/64B/1x1", "target-stream/bare-ring/64B/1x1", NULL};
    (void)state;
    expect_errors("twice", "message 15 ", words);
}

static void damaged_greeting_is_an_error(void **state)
{
    const char *words[] = {"--seconds", "0.01", "target-attach/mmipc/64B/1x1", NULL};
    (void)state;
    expect_errors("greet", "the first message was not the one that was sent", words);
}

static void deaths_that_are_told_too_early_are_errors(void **state)
{
    const char *words[] = {"--seconds", "0.01", "target-death/mmipc/64B/1x1", NULL};
    (void)state;
    expect_errors("early", "was reported dead while it was alive", words);
}

/* Its publisher has long put a round into the backlog when such a reader begins to take it out. */
static void late_reader_is_not_faster(void **state)
{
    static const char row[] = "target-stream/mmipc/1MiB/1x1";
    const char *words[] = {"--seconds", "0.01", row, NULL};
    struct rows_run run;
    const cJSON *cell;
    (void)state;

    need_two_cpus();
    run = run_with("late", words);
    cell = rows_run_cell(&run, row);
    if (rows_run_error(cell) != NULL)
        fail_msg("%s", rows_run_error(cell));
    assert_int_equal(rows_run_metric(cell, "samples"), LATE_ROUND);
    assert_true(rows_run_metric(cell, "messages_per_second") > 0);
    assert_true(rows_run_metric(cell, "messages_per_second") <= LATE_ROUND * 1000. / LATE_MS);
    rows_run_free(&run);
}

CASES_MAIN(CASE(damaged_messages_are_errors), CASE(lost_messages_are_errors), CASE(doubled_messages_are_errors),
           CASE(damaged_greeting_is_an_error), CASE(deaths_that_are_told_too_early_are_errors),
           CASE(late_reader_is_not_faster))
