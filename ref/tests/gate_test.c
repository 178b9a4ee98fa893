/* The gate: never two threads inside, whichever way they came in. */
#include "cases.h"
#include "gate.h"

#include <pthread.h>
#include <stdlib.h>

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
        exit(77);
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

CASES_MAIN(CASE(owner_and_others), CASE(many_publishers), CASE(bias_is_kept_ended_and_regained))
