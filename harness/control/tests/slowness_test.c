/* How slow the machine is, all through a case; and who is excused by it. */
#include "stage.h"

#include "../internal.h"
#include "../others.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_HOGS = 1024, HOGS_A_CPU = 4 };

static const uint64_t second = 1000000000, millisecond = 1000000;

static void add(struct slowness *self, size_t count, uint64_t late_ns)
{
    while (count-- > 0)
        slowness_add(self, late_ns);
}

static void assert_scale(struct slowness *self, size_t place, double least, double most)
{
    const double scale = slowness_since(self, place);
    if (scale < least || scale > most)
        fail_msg("%g is not between %g and %g", scale, least, most);
}

static void three_late_in_a_second_are_slow(void **state)
{
    static struct slowness self;
    size_t place;
    (void)state;
    memset(&self, 0, sizeof self);
    assert_scale(&self, 0, 1, 1);
    add(&self, 60, millisecond);
    assert_scale(&self, 0, 1, 1); /* in time */
    add(&self, 2, 30 * millisecond);
    add(&self, SLOWNESS_WINDOW - 2, 0);
    add(&self, 2, 30 * millisecond);
    assert_scale(&self, 0, 1, 1); /* never three in one second */
    add(&self, 1, 12 * millisecond);
    assert_scale(&self, 0, 3.75, 3.75);
    place = slowness_now(&self);
    add(&self, 200, 0);
    assert_scale(&self, 0, 3.75, 3.75); /* calm again does not undo it */
    assert_scale(&self, place, 1, 1);
    add(&self, SLOWNESS_KEPT - 200, 0);
    assert_scale(&self, 0, 1, 1);               /* as long ago as that */
    assert_true(slowness_worst(&self) == 3.75); /* but it was in this case */
    assert_int_equal(self.slow_count, 5);
}

static void a_new_case_forgets_the_last_one(void **state)
{
    static struct slowness self;
    (void)state;
    memset(&self, 0, sizeof self);
    add(&self, 5, 1000 * second);
    assert_true(slowness_worst(&self) > 2e5);
    slowness_mark(&self);
    assert_true(slowness_worst(&self) < 2e5);
    assert_true(slowness_since(&self, 0) > 2e5); /* a call's place may be older */
    slowness_end(&self);
}

static void await_samples(struct slowness *self, size_t count)
{
    const uint64_t end_ns = ipcmark_now_ns() + 20 * second;
    while (slowness_now(self) < count && ipcmark_now_ns() < end_ns)
        sched_yield();
    assert_true(slowness_now(self) >= count);
}

static void what_was_ended_samples_again(void **state)
{
    static struct slowness self;
    (void)state;
    memset(&self, 0, sizeof self);
    slowness_mark(&self);
    await_samples(&self, 1);
    slowness_end(&self);
    const size_t count = slowness_now(&self);
    slowness_mark(&self);
    await_samples(&self, count + 1);
    slowness_end(&self);
}

static void bounds_have_as_much_to_spare(void **state)
{
    (void)state;
    assert_false(session_outruns(1, 1));
    assert_false(session_outruns(3.9, 1));
    assert_true(session_outruns(4.1, 1));
    assert_false(session_outruns(7.9, 2)); /* they were made for a slow machine */
    assert_true(session_outruns(6.1, 1.5));
    assert_true(session_outruns(8.1, 8)); /* but that is the most there is */
}

static void who_is_slow_by_its_own_work_is_not_excused(void **state)
{
    const uint64_t busy = 8 * second;
    (void)state;
    assert_true(slowness_explained(second, 4 * second, 2 * second, busy, 2)); /* others on two CPUs, for as long */
    assert_true(slowness_explained(second, 4 * second, second, busy, 2));
    assert_false(slowness_explained(4 * second, 4 * second, second, busy, 2)); /* slow for far longer */
    assert_false(slowness_explained(second, 4 * second, 0, busy, 2));
    assert_false(slowness_explained(second, 60 * second, second / 2, busy, 2)); /* what goes on all the time */
    assert_false(slowness_explained(second, 4 * second, 0, 2 * second, 2));     /* its own, all the while */
    assert_true(slowness_explained(second, 4 * second, 0, second / 2, 2));      /* nobody's: it stood still */
}

/* ---- whose fault it is ------------------------------------------------------------------------------------------- */

static void only_cpus_that_are_ours_count(void **state)
{
    static char text[] = "cpu  600 0 0 0 0 0 0 0 0 0\n"
                         "cpu0 100 20 30 400 500 6 7 8 9 10\n"
                         "cpu1 200 0 0 0 0 0 0 0 0 0\n"
                         "cpu10 300 0 0 0 0 0 0 0 0 0\n"
                         "intr 5 5 5 5 5 5 5 5 5\n";
    const uint64_t tick_ns = second / (uint64_t)sysconf(_SC_CLK_TCK);
    unsigned cpus;
    cpu_set_t set;
    (void)state;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    CPU_SET(10, &set);
    FILE *file = fmemopen(text, strlen(text), "r");
    assert_non_null(file);
    assert_int_equal(others_parse_stat(file, &set, &cpus), (100 + 20 + 30 + 6 + 7 + 8 + 300) * tick_ns);
    assert_int_equal(cpus, 2);
    fclose(file);
    cpu_set_t mine;
    assert_int_equal(sched_getaffinity(0, sizeof mine, &mine), 0);
    assert_true(others_used_ns(&cpus) > 0);
    assert_int_equal(cpus, CPU_COUNT(&mine));
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void make_folder(const char *folder, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static uint64_t throttled(const char *folder, const char *list)
{
    char path[256];
    write_file(folder, "list", list);
    snprintf(path, sizeof path, "%s/list", folder);
    return others_throttled_ns(path, folder);
}

static void what_a_quota_withholds_counts(void **state)
{
    char folder[] = "/tmp/ipcmark-slowness-XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(throttled(folder, "0::/ours\n"), 0);
    make_folder(folder, "ours");
    make_folder(folder, "cpu");
    write_file(folder, "ours/cpu.stat", "usage_usec 9\nnr_throttled 3\nthrottled_usec 70\nnr_bursts 0\n");
    write_file(folder, "cpu/cpu.stat", "nr_periods 8\nnr_throttled 3\nthrottled_time 900\n");
    assert_int_equal(throttled(folder, "0::/ours\n"), 70000);
    assert_int_equal(throttled(folder, "9:name=systemd:/\n3:cpuset:/ours\n1:cpu:/where/the/host/sees/it\n0::/none\n"),
                     900);
    assert_int_equal(throttled(folder, "nonsense\n\n:\n"), 0);
    assert_int_equal(others_throttled_ns("/nowhere", folder), 0);
    static const char *const made[] = {"ours/cpu.stat", "cpu/cpu.stat", "ours", "cpu", "list", ""};
    for (size_t i = 0; i < sizeof made / sizeof made[0]; ++i) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", folder, made[i]);
        assert_int_equal(remove(path), 0);
    }
}

/* ---- with hogs --------------------------------------------------------------------------------------------------- */

static pid_t hogs[MAX_HOGS];
static size_t hog_count;
static int start_hogs = -1;

/* They wait for a byte each, and then use all that they get. */
static void spawn_hogs(void)
{
    char *const arguments[] = {(char *)(uintptr_t)IPCMARK_TEST_HOG, NULL};
    const size_t most = (size_t)sysconf(_SC_NPROCESSORS_ONLN) * HOGS_A_CPU;
    posix_spawn_file_actions_t actions;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    start_hogs = ends[1];
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    int error = 0;
    while (error == 0 && hog_count < most && hog_count < MAX_HOGS)
        if ((error = posix_spawn(&hogs[hog_count], arguments[0], &actions, NULL, arguments, environ)) == 0)
            ++hog_count;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[0]);
    assert_int_equal(error, 0);
}

static void let_hogs_run(void)
{
    const char bytes[MAX_HOGS] = {0};
    assert_int_equal(write(start_hogs, bytes, hog_count), hog_count);
}

static void end_hogs(void)
{
    for (size_t i = 0; i < hog_count; ++i)
        kill(hogs[i], SIGKILL);
    for (; hog_count > 0; --hog_count)
        waitpid(hogs[hog_count - 1], NULL, 0);
    if (start_hogs >= 0)
        close(start_hogs);
    start_hogs = -1;
}

static int after_hogs(void **state)
{
    end_hogs();
    return cases_after(state);
}

static void a_quiet_case_is_not_slow(void **state)
{
    unsigned cpus;
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    const uint64_t before = others_used_ns(&cpus);
    ipcmark_session_mark(session);
    assert_true(ipcmark_wait(trial, 600));
    const double slowest = ipcmark_session_slowest(session), raw = slowness_worst(&session->slowness);
    const size_t samples = slowness_now(&session->slowness);
    const double used = (double)(others_used_ns(&cpus) - before) * 1e-9;
    stage_close();
    assert_true(samples > 0);
    print_message("%zu samples, %.1f times as slow; %.2f CPU seconds were used\n", samples, raw, used);
    if (used > 0.1 * cpus)
        CASES_SKIP("this machine is busy with other things");
    assert_true(raw < 2);
    assert_true(slowest <= raw);
}

/* The last one: it makes itself less important than the hogs, for good. A kernel may be kind to those that mostly
 * sleep, so that hogs alone would not do. */
static void a_middle_with_hogs_is_slow(void **state)
{
    static struct slowness own;
    const double seconds = 2; /* enough to begin with, on a machine that is busy already */
    uint16_t subscriber = 0;
    (void)state;
    spawn_hogs();
    stage_deadline_seconds = seconds;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    assert_int_equal(setpriority(PRIO_PROCESS, 0, 19), 0);
    ipcmark_session_mark(session);
    slowness_mark(&own);
    ipcmark_participant *sleeper = stage_start();
    stage_done(ipcmark_open_subscriber(sleeper, &subscriber, NULL));
    assert_int_equal(ipcmark_pause(sleeper), 0);
    ipcmark_call *call = ipcmark_stats(trial, subscriber, 0, false);

    let_hogs_run();
    const uint64_t end_ns = ipcmark_now_ns() + 20 * second;
    while (ipcmark_session_slowest(session) <= 8 && ipcmark_now_ns() < end_ns)
        assert_true(ipcmark_wait(trial, SLOWNESS_PERIOD_MS));
    assert_true(ipcmark_session_was_too_slow(session));
    assert_true(slowness_is_of_others(&own, 0));
    assert_false(slowness_is_of_others(&own, 1000 * second)); /* had they been ours */
    slowness_end(&own);

    /* What would have been too late is not. */
    const double over = (double)call->begun_ns + (seconds + 0.2) * 1e9 * ipcmark_session_scale(session);
    while ((double)ipcmark_now_ns() < over)
        assert_true(ipcmark_wait(trial, SLOWNESS_PERIOD_MS));
    end_hogs();
    assert_int_equal(ipcmark_resume(sleeper), 0);
    if (ipcmark_session_scale(session) < 5)
        stage_done(call);
    else
        print_message("this machine is too slow to be slowed down\n");
    stage_close();
}

CASES_MAIN(CASE(three_late_in_a_second_are_slow), CASE(a_new_case_forgets_the_last_one),
           CASE(what_was_ended_samples_again), CASE(bounds_have_as_much_to_spare),
           CASE(who_is_slow_by_its_own_work_is_not_excused), CASE(only_cpus_that_are_ours_count),
           CASE(what_a_quota_withholds_counts), CASE(a_quiet_case_is_not_slow),
           {"a_middle_with_hogs_is_slow", a_middle_with_hogs_is_slow, cases_before, after_hogs, NULL})
