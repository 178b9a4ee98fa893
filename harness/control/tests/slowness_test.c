/* How slow the machine is, all through a case; and who is excused by it. */
#include "stage.h"

#include "../slowness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
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
    add(&self, 60, millisecond / 20);
    assert_scale(&self, 0, 1, 1);
    add(&self, 2, 30 * millisecond);
    add(&self, SLOWNESS_WINDOW - 2, 0);
    add(&self, 2, 30 * millisecond);
    assert_scale(&self, 0, 1, 1); /* never three in one second */
    add(&self, 1, 12 * millisecond);
    assert_scale(&self, 0, 12, 12);
    place = slowness_now(&self);
    add(&self, 200, 0);
    assert_scale(&self, 0, 12, 12); /* calm again does not undo it */
    assert_scale(&self, place, 1, 1);
    add(&self, SLOWNESS_KEPT - 200, 0);
    assert_scale(&self, 0, 1, 1); /* as long ago as that */
}

static void who_is_slow_by_its_own_work_is_not_excused(void **state)
{
    (void)state;
    assert_true(slowness_explained(second, 4 * second, 2 * second, 2)); /* others on two CPUs, for as long */
    assert_true(slowness_explained(second, 4 * second, second, 2));
    assert_false(slowness_explained(4 * second, 4 * second, second, 2)); /* slow for far longer */
    assert_false(slowness_explained(second, 4 * second, 0, 2));
    assert_false(slowness_explained(second, 60 * second, second / 2, 2)); /* what goes on all the time */
}

/* ---- with hogs --------------------------------------------------------------------------------------------------- */

static pid_t hogs[MAX_HOGS];
static size_t hog_count;
static int start_hogs[2];

/* They wait for the pipe's end, and then use all that they get. */
static void fork_hogs(void)
{
    hog_count = (size_t)sysconf(_SC_NPROCESSORS_ONLN) * HOGS_A_CPU;
    hog_count = hog_count < MAX_HOGS ? hog_count : MAX_HOGS;
    assert_int_equal(pipe2(start_hogs, O_CLOEXEC), 0);
    for (size_t i = 0; i < hog_count; ++i) {
        hogs[i] = fork();
        assert_true(hogs[i] >= 0);
        if (hogs[i] == 0) {
            char byte;
            close(start_hogs[1]);
            alarm(60);
            if (read(start_hogs[0], &byte, 1) == 0)
                for (volatile unsigned spin = 0;; ++spin) {
                }
            _exit(0);
        }
    }
    close(start_hogs[0]);
}

static void end_hogs(void)
{
    for (size_t i = 0; i < hog_count; ++i)
        kill(hogs[i], SIGKILL);
    for (size_t i = 0; i < hog_count; ++i)
        assert_int_equal(waitpid(hogs[i], NULL, 0), hogs[i]);
}

/* CPU seconds that were used, of all CPUs. */
static double used_seconds(void)
{
    double user, nice_, system;
    FILE *file = fopen("/proc/stat", "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "cpu %lf %lf %lf", &user, &nice_, &system), 3);
    fclose(file);
    return (user + nice_ + system) / (double)sysconf(_SC_CLK_TCK);
}

static void a_quiet_case_is_not_slow(void **state)
{
    const double before = used_seconds();
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    ipcmark_session_mark(session);
    assert_true(ipcmark_wait(trial, 600));
    const double slowest = ipcmark_session_slowest(session), used = used_seconds() - before;
    stage_close();
    if (used > 0.1 * (double)sysconf(_SC_NPROCESSORS_ONLN)) {
        print_message("this machine is busy: %.2f CPU seconds were used\n", used);
        skip();
    }
    assert_true(slowest < 8);
}

/* The last one: it makes itself less important than the hogs, for good. A kernel may be kind to those that mostly
 * sleep, so that hogs alone would not do. */
static void a_middle_with_hogs_is_slow(void **state)
{
    static struct slowness own;
    const double seconds = 0.6;
    uint16_t subscriber = 0;
    (void)state;
    fork_hogs();
    stage_deadline_seconds = seconds;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    assert_int_equal(setpriority(PRIO_PROCESS, 0, 19), 0);
    ipcmark_session_mark(session);
    slowness_mark(&own);
    ipcmark_participant *sleeper = stage_start();
    stage_done(ipcmark_open_subscriber(sleeper, &subscriber, NULL));
    assert_int_equal(ipcmark_pause(sleeper), 0);
    ipcmark_call *call = ipcmark_stats(trial, subscriber, 0, 0, false);

    close(start_hogs[1]);
    const uint64_t end_ns = ipcmark_now_ns() + 20 * second;
    while (!ipcmark_session_was_too_slow(session) && ipcmark_now_ns() < end_ns)
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

CASES_MAIN(CASE(three_late_in_a_second_are_slow), CASE(who_is_slow_by_its_own_work_is_not_excused),
           CASE(a_quiet_case_is_not_slow), CASE(a_middle_with_hogs_is_slow))
