/* When a thread may be taken to be inside of the driver. */
#include "cases.h"

#include "../agent.h"

#include <sched.h>
#include <time.h>
#include <unistd.h>

enum { A_WHILE_NS = 2000000, PATIENCE_NS = 50000000 };

static int ends[2];
static atomic_bool stop;

static void *wait_for_a_byte(void *context)
{
    char byte;
    assert_int_equal(read(ends[0], &byte, 1), 1);
    return context;
}

static void *spin(void *context)
{
    while (!atomic_load(&stop))
        ;
    return context;
}

static uint64_t used_ns(pthread_t thread)
{
    clockid_t clock;
    struct timespec used;
    assert_int_equal(pthread_getcpuclockid(thread, &clock), 0);
    assert_int_equal(clock_gettime(clock, &used), 0);
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

static void who_waits_and_who_has_ended_are_settled(void **state)
{
    struct settle self;
    pthread_t thread;
    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_a_byte, NULL), 0);
    settle_begin(&self);
    assert_true(self.count >= 1); /* a sanitizer may have threads as well */
    while (!settle_done(&self))   /* or the test's deadline ends it */
        sched_yield();
    settle_begin(&self);
    assert_int_equal(write(ends[1], "", 1), 1);
    assert_int_equal(pthread_join(thread, NULL), 0);
    while (!settle_done(&self))
        sched_yield();
    close(ends[0]);
    close(ends[1]);
}

/* It has the same CPU as we who look without a pause, and next to no weight. */
static void who_has_not_run_is_not_settled(void **state)
{
    const struct sched_param none = {0};
    struct settle self;
    cpu_set_t before, one;
    pthread_t thread;
    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0); /* it inherits that */
    atomic_store(&stop, false);
    assert_int_equal(pthread_create(&thread, NULL, spin, NULL), 0);
    assert_int_equal(pthread_setschedparam(thread, SCHED_IDLE, &none), 0);
    const uint64_t used = used_ns(thread), begun = ipcmark_now_ns();
    settle_begin(&self);
    while (!settle_done(&self))
        ;
    assert_true(used_ns(thread) - used >= A_WHILE_NS);
    assert_true(ipcmark_now_ns() - begun >= PATIENCE_NS);
    atomic_store(&stop, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
}

CASES_MAIN(CASE(who_waits_and_who_has_ended_are_settled), CASE(who_has_not_run_is_not_settled))
