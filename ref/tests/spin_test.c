/* How long to poll: the budget follows what polling brings, and is nothing where it brings nothing. */
#include "cases.h"

#include "os/os.h"
#include "spin.h"

#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAYING_NS = 10000, IDLE_NS = 1000000, LATER_NS = 10000000 };

static void fixed_options_are_obeyed(void **state)
{
    struct spin spin;
    (void)state;
    spin_open(&spin, 50, -1, 2);
    assert_int_equal(spin_budget(&spin, 0), 50000);
    spin_learn(&spin, IDLE_NS, false);
    assert_int_equal(spin_budget(&spin, 0), 50000);
    spin_open(&spin, -1, -1, 2);
    assert_int_equal(spin_budget(&spin, 0), 0);
    spin_learn(&spin, PAYING_NS, false);
    assert_int_equal(spin_budget(&spin, 0), 0);
}

static int64_t budget_after(struct spin *spin, int64_t waited_ns, int times)
{
    for (int i = 0; i < times; ++i) {
        spin_budget(spin, 0);
        spin_learn(spin, waited_ns, true);
    }
    return spin_budget(spin, 0);
}

static void budget_follows_the_waits(void **state)
{
    struct spin spin;
    int64_t grown, shrunk;
    (void)state;
    spin_open(&spin, 0, -1, 2);
    assert_true(spin_budget(&spin, 0) > 0); /* a first try */
    grown = budget_after(&spin, 100000, 1);
    assert_in_range(grown, 100000, 250000); /* at once, and with some room */
    shrunk = budget_after(&spin, PAYING_NS, 1);
    assert_in_range(shrunk, grown * 9 / 10, grown - 1); /* slowly */
    assert_in_range(budget_after(&spin, PAYING_NS, 1000), PAYING_NS, 3 * PAYING_NS);
    assert_in_range(budget_after(&spin, 240000, 1), 240000, 250000); /* never longer than that */
}

static void idle_channel_is_not_polled(void **state)
{
    struct spin spin;
    (void)state;
    spin_open(&spin, 0, -1, 2);
    assert_int_equal(budget_after(&spin, IDLE_NS, 1), 0);
    assert_int_equal(budget_after(&spin, IDLE_NS, 100), 0);
    spin_learn(&spin, PAYING_NS, false); /* asleep; but it came soon */
    assert_true(spin_budget(&spin, 0) >= PAYING_NS);
}

/* How many waits are slept through before the next is polled. */
static int left_out(struct spin *spin)
{
    int count = 0;
    while (spin_budget(spin, 0) == 0) {
        spin_learn(spin, PAYING_NS, false);
        assert_true(++count < 1000);
    }
    return count;
}

static void polling_in_vain_is_left_out_more_and_more(void **state)
{
    struct spin spin;
    (void)state;
    spin_open(&spin, 0, -1, 2);
    assert_int_equal(left_out(&spin), 0);
    for (int expected = 1; expected < 64; expected *= 2) {
        spin_learn(&spin, PAYING_NS, false);
        assert_int_equal(left_out(&spin), expected);
    }
    for (int i = 0; i < 3; ++i) {
        spin_learn(&spin, PAYING_NS, false);
        assert_int_equal(left_out(&spin), 64);
    }
    spin_learn(&spin, PAYING_NS, true); /* it paid */
    assert_int_equal(left_out(&spin), 0);
    spin_learn(&spin, PAYING_NS, false);
    assert_int_equal(left_out(&spin), 1);
}

static void say_load(int fd, const char *text)
{
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, text, strlen(text), 0), (ssize_t)strlen(text));
}

/* A descriptor like that of /proc/loadavg; what it says is asked for now and then. */
static void crowded_machine_is_not_polled_on(void **state)
{
    struct spin spin;
    int64_t now_ns = 0;
    int load;
    (void)state;
    load = memfd_create("load", MFD_CLOEXEC);
    spin_open(&spin, 0, load, 2);
    say_load(load, "0.20 0.18 0.12 1/80 11206\n");
    assert_true(spin_budget(&spin, now_ns) > 0);
    say_load(load, "0.20 0.18 0.12 9999/10000 11206\n");
    assert_true(spin_budget(&spin, now_ns + 1000) > 0); /* not asked again so soon */
    assert_int_equal(spin_budget(&spin, now_ns += LATER_NS), 0);
    say_load(load, "nonsense");
    assert_true(spin_budget(&spin, now_ns += LATER_NS) > 0);
    say_load(load, "0.20 0.18 0.12 9999/10000 11206\n");
    assert_int_equal(spin_budget(&spin, now_ns += LATER_NS), 0);
    say_load(load, "");
    assert_true(spin_budget(&spin, now_ns + LATER_NS) > 0);
    close(load);
}

/* Bound to one processor, as who wants it quick binds its reader, it polls: its peer may have another. */
static void bound_to_one_processor_is_polled_on(void **state)
{
    cpu_set_t before, one;
    const int processors = os_processors();
    struct spin spin;
    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    CPU_ZERO(&one);
    for (size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++i)
        if (CPU_ISSET(i, &before))
            CPU_SET(i, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(os_processors(), processors);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
    spin_open(&spin, 0, -1, 1); /* but not where there is no other */
    assert_int_equal(spin_budget(&spin, 0), 0);
    spin_open(&spin, 70, -1, 1); /* unless somebody says so */
    assert_int_equal(spin_budget(&spin, 0), 70000);
}

CASES_MAIN(CASE(fixed_options_are_obeyed), CASE(budget_follows_the_waits), CASE(idle_channel_is_not_polled),
           CASE(polling_in_vain_is_left_out_more_and_more), CASE(crowded_machine_is_not_polled_on),
           CASE(bound_to_one_processor_is_polled_on))
