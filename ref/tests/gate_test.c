/* The gate: never two threads inside, whichever way they came in. */
#include "cases.h"

#include "actor.h"
#include "gate.h"
#include "mmipc/mmipc.h"

#include <pthread.h>

/* See --wrap in CMakeLists.txt. */
static flag napped;
static _Atomic int registered_among; /* threads; 0: not yet registered */

int __real_os_poll(const int *fds, int count, int64_t deadline_ns); // NOLINT: the linker's names
int __wrap_os_poll(const int *fds, int count, int64_t deadline_ns); // NOLINT
bool __real_os_barrier_own_register(void);                          // NOLINT
bool __wrap_os_barrier_own_register(void);                          // NOLINT

int __wrap_os_poll(const int *fds, int count, int64_t deadline_ns) // NOLINT
{
    if (count == 0)
        flag_set(&napped, 1);
    return __real_os_poll(fds, count, deadline_ns);
}

static int threads(void)
{
    return cases_count_entries("/proc/self/task");
}

bool __wrap_os_barrier_own_register(void) // NOLINT
{
    registered_among = threads();
    return __real_os_barrier_own_register();
}

struct shared {
    struct gate gate;
    long plain; /* written inside only, without atomics: ThreadSanitizer would see a second one inside */
    long rounds;
    flag stop;
};

static void *publish_often(void *argument)
{
    struct shared *shared = argument;
    for (long i = 0; i < shared->rounds; ++i) {
        gate_enter(&shared->gate);
        shared->plain++;
        gate_leave(&shared->gate);
    }
    return NULL;
}

static void *change_list(void *argument)
{
    struct shared *shared = argument;
    for (long i = 0; i < shared->rounds; ++i) {
        gate_enter_locked(&shared->gate, false);
        shared->plain++;
        gate_leave_locked(&shared->gate);
    }
    return NULL;
}

static void one_at_a_time(void *(*first)(void *), void *(*second)(void *), void *(*third)(void *), long rounds)
{
    struct shared shared = {.rounds = rounds};
    void *(*const runs[])(void *) = {first, second, third};
    pthread_t threads[3];
    gate_open(&shared.gate);
    for (int i = 0; i < 3; ++i)
        assert_int_equal(pthread_create(&threads[i], NULL, runs[i], &shared), 0);
    for (int i = 0; i < 3; ++i)
        pthread_join(threads[i], NULL);
    assert_int_equal(shared.plain, 3 * rounds);
    gate_close(&shared.gate);
}

static void owner_and_others(void **state)
{
    (void)state;
    one_at_a_time(publish_often, change_list, change_list, 20000);
}

static void many_publishers(void **state)
{
    (void)state;
    for (int i = 0; i < 20; ++i) /* each round ends a bias anew */
        one_at_a_time(publish_often, publish_often, change_list, 2000);
}

static bool enters_by_bias(struct gate *gate)
{
    bool by_bias;
    gate_enter(gate);
    by_bias = gate->held != NULL;
    gate_leave(gate);
    return by_bias;
}

static void bias_is_kept_ended_and_regained(void **state)
{
    struct shared shared = {.rounds = 1};
    pthread_t other;
    int publishes = 0;
    (void)state;
    gate_open(&shared.gate);
    if (!shared.gate.can_bias)
        CASES_SKIP("no heavy barriers here");
    for (int i = 0; i < 3; ++i) {
        assert_int_equal(enters_by_bias(&shared.gate), i > 0);
        change_list(&shared);
    }
    assert_int_equal(pthread_create(&other, NULL, publish_often, &shared), 0);
    pthread_join(other, NULL);
    while (!enters_by_bias(&shared.gate))
        assert_true(++publishes < 1000);
    assert_true(publishes > 100);
    gate_close(&shared.gate);
}

static void *stay_until_somebody_naps(void *argument)
{
    struct shared *shared = argument;
    gate_enter(&shared->gate);
    gate_leave(&shared->gate);
    gate_enter(&shared->gate); /* by its bias now */
    flag_set(&shared->stop, 1);
    while (!flag_get(&napped)) /* the case's time-out bounds this */
        sched_yield();
    gate_leave(&shared->gate);
    return NULL;
}

/* With a real-time priority it would otherwise keep the owner from its processor for ever. */
static void who_waits_for_the_owner_sleeps(void **state)
{
    struct shared shared = {.rounds = 1};
    pthread_t owner;
    (void)state;
    gate_open(&shared.gate);
    if (!shared.gate.can_bias)
        CASES_SKIP("no heavy barriers here");
    assert_int_equal(pthread_create(&owner, NULL, stay_until_somebody_naps, &shared), 0);
    while (!flag_get(&shared.stop))
        sched_yield();
    change_list(&shared);
    pthread_join(owner, NULL);
    gate_close(&shared.gate);
}

static void log_nothing(void *user, int level, const char *text)
{
    (void)user;
    (void)level;
    (void)text;
}

/* With threads it takes milliseconds. */
static void barrier_is_registered_before_there_are_threads(void **state)
{
    char *directory = test_directory();
    const int before = threads();
    mmipc_options options;
    mmipc_publisher *publisher;
    (void)state;
    mmipc_options_init(&options, sizeof options);
    options.on_log = log_nothing; /* needs a thread */
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, &options), 0);
    assert_int_equal(registered_among, before);
    mmipc_publisher_close(publisher);
    assert_int_equal(test_directory_remove(directory), 0);
}

CASES_MAIN(CASE(owner_and_others), CASE(many_publishers), CASE(bias_is_kept_ended_and_regained),
           CASE(who_waits_for_the_owner_sleeps), CASE(barrier_is_registered_before_there_are_threads))
