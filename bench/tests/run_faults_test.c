/* ipcmark run, where something goes wrong: losses, the killed and the stopped, who dies unasked, Ctrl-C. */
#include <cases.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "run_started.h"

/* At 500 a second, half of them before the publisher dies; and those that were sent while the subscriber was stopped
 * are as late as that. */
static void the_killed_send_again_and_the_stopped_are_late(void **state)
{
    (void)state;
    run_open_folder();
    const struct run_started started =
        run_in_pipe(WORDS("--driver", "mmipc", "--rate", "500", "--duration", "2", "--no-judge", "--format", "json",
                          "--kill", "publisher1=1", "--pause", "subscriber1=0.6,0.3"));
    run_expect_code(&started, 0);
    run_expect_printed("\"name\":\"publisher 1\",\"what\":\"killed\",");
    run_expect_printed("\"name\":\"subscriber 1\",\"what\":\"stopped\",");
    const char *summary = strstr(run_printed, "{\"type\":\"summary\"");
    assert_non_null(summary);
    memmove(run_printed, summary, strlen(summary) + 1);
    assert_true(run_number_after("\"published\":") > 550);
    assert_true(run_number_after("\"max_ns\":") > 250000000);
    run_close_folder();
}

/* One wrong message, of a few hundred. */
static void expect_fault(int code, const char *fault, const char *words, const char *more)
{
    char driver[4096];
    run_open_folder();
    snprintf(driver, sizeof driver, "%s?fault=%s&at=50", FAULTY_DRIVER, fault);
    const struct run_started started = run_in_pipe(WORDS("--driver", driver, "--duration", "0.2"));
    run_expect_code(&started, code);
    run_expect_printed(words);
    run_expect_printed(more);
    run_close_folder();
}

static void one_wrong_message_fails_the_run(void **state)
{
    (void)state;
    expect_fault(1, "lose", "  because      1 messages were published and not received\n",
                 "  counted      1 lost, 0 torn, 0 twice, 0 out of order\n");
    expect_fault(1, "tear", "  because      1 messages were torn, ",
                 "  counted      0 lost, 1 torn, 0 twice, 0 out of order\n");
    expect_fault(1, "double", " torn, 1 came twice, ", "  counted      0 lost, 0 torn, 1 twice, 0 out of order\n");
    expect_fault(0, "refuse", " a second; 1 more were refused",
                 "  counted      0 lost, 0 torn, 0 twice, 0 out of order\n");
    expect_fault(0, "none", ": holds\n", "  counted      0 lost, 0 torn, 0 twice, 0 out of order\n");
}

static const char refuses[] = FAULTY_DRIVER "?fault=refuse&at=50", stalls[] = FAULTY_DRIVER "?fault=stall&at=45";

static void refusals_are_no_losses(void **state)
{
    (void)state;
    run_open_folder();
    const struct run_started started = run_in_pipe(WORDS("--driver", refuses, "--duration", "0.5", "--format", "json"));
    run_expect_code(&started, 0);
    run_expect_printed("\"refused\":1,");
    assert_null(strstr(run_printed, "\"lost\":1,"));
    run_close_folder();
}

/* The receiver is held up for 100 ms, 50 ms before the end of the traffic. */
static void what_comes_late_is_waited_for(void **state)
{
    (void)state;
    run_open_folder();
    const struct run_started started = run_in_pipe(WORDS("--driver", stalls, "--duration", "0.5", "--rate", "100"));
    run_expect_code(&started, 0);
    assert_int_equal(run_number_after("  received     "), run_number_after("  sent         "));
    run_close_folder();
}

/* Whether a file of /proc, or its beginning, holds the text. */
static bool holds(const char *process, const char *file, const char *text)
{
    static char content[1 << 16];
    char path[512];
    snprintf(path, sizeof path, "/proc/%s/%s", process, file);
    FILE *stream = fopen(path, "re");
    if (stream == NULL)
        return false;
    const size_t length = fread(content, 1, sizeof content, stream);
    fclose(stream);
    return memmem(content, length, text, strlen(text)) != NULL;
}

/* How often its threads have slept. */
static unsigned long count_sleeps(const char *process)
{
    char path[512], line[128];
    unsigned long sum = 0, each;
    snprintf(path, sizeof path, "/proc/%s/task", process);
    DIR *threads = opendir(path);
    for (struct dirent *entry; threads != NULL && (entry = readdir(threads)) != NULL;) {
        snprintf(path, sizeof path, "/proc/%s/task/%s/status", process, entry->d_name);
        FILE *status = fopen(path, "re");
        while (status != NULL && fgets(line, sizeof line, status) != NULL)
            if (sscanf(line, "voluntary_ctxt_switches: %lu", &each) == 1)
                sum += each;
        if (status != NULL)
            fclose(status);
    }
    if (threads != NULL)
        closedir(threads);
    return sum;
}

/* One of the run's participants that is in the middle of its traffic, or 0. All have our folder in their environment.
 */
static pid_t find_participant(void)
{
    DIR *processes = opendir("/proc");
    pid_t found = 0;
    assert_non_null(processes);
    for (struct dirent *entry; found == 0 && (entry = readdir(processes)) != NULL;)
        if (holds(entry->d_name, "cmdline", "ipcmark-agent") && holds(entry->d_name, "environ", run_folder) &&
            count_sleeps(entry->d_name) > 300)
            found = atoi(entry->d_name);
    closedir(processes);
    return found;
}

static pid_t await_participant(void)
{
    pid_t found;
    while ((found = find_participant()) == 0)
        sched_yield();
    return found;
}

static void who_dies_unasked_fails_the_run(void **state)
{
    (void)state;
    run_open_folder();
    const struct run_started started = run_on_terminal(WORDS("--driver", "mmipc", "--duration", "20"));
    run_read_until(&started, "   1 s ");
    assert_int_equal(kill(await_participant(), SIGKILL), 0);
    run_expect_code(&started, 1);
    run_expect_printed(": FAILS\r\n  because      ");
    assert_null(strstr(run_printed, "  10 s "));
    run_close_folder();
}

/* Nobody is asked anything then, so nobody fails to answer. */
static void who_dies_unasked_is_seen_without_a_look(void **state)
{
    (void)state;
    run_open_folder();
    const struct run_started started = run_in_pipe(WORDS("--driver", "mmipc", "--duration", "30"));
    assert_int_equal(kill(await_participant(), SIGKILL), 0);
    run_expect_code(&started, 1);
    assert_null(strstr(run_printed, "  traffic  ")); /* which is known at the end */
    run_close_folder();
}

/* As a user does it: everyone on this terminal gets the signal. */
static void ctrl_c_ends_it_and_leaves_nothing(void **state)
{
    (void)state;
    run_open_folder();
    const struct run_started started =
        run_on_terminal(WORDS("--driver", "mmipc", "--duration", "60", "--subscribers", "2", "--judge"));
    run_read_until(&started, "   1 s ");
    assert_int_equal(write(started.output, "\003", 1), 1);
    run_expect_code(&started, 130);
    run_expect_printed("2 subscribers: interrupted\r\n");
    assert_true(run_number_after("  received     ") > 0);
    run_close_folder();
}

CASES_MAIN(CASE(the_killed_send_again_and_the_stopped_are_late), CASE(one_wrong_message_fails_the_run),
           CASE(refusals_are_no_losses), CASE(what_comes_late_is_waited_for), CASE(who_dies_unasked_fails_the_run),
           CASE(who_dies_unasked_is_seen_without_a_look), CASE(ctrl_c_ends_it_and_leaves_nothing))
