/* Closing waits for those inside, for all of them, and for nobody else. */
#include "callers.h"
#include "cases.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

enum { THREADS = 4, ROUNDS = 500 };

static void those_who_come_late_are_refused(void **state)
{
    struct callers callers;
    (void)state;
    callers_init(&callers);
    assert_true(callers_enter(&callers));
    assert_false(callers_refused(&callers));
    callers_leave(&callers);
    callers_refuse(&callers);
    assert_true(callers_refused(&callers));
    assert_false(callers_enter(&callers));
    callers_await(&callers);
}

/* An endpoint that nobody was told of, since it could not be opened. */
static void nobody_is_waited_for(void **state)
{
    struct callers callers;
    (void)state;
    callers_init(&callers);
    assert_true(callers_enter(&callers));
    callers_leave(&callers);
    callers_await(&callers);
}

struct endpoint {
    struct callers callers;
    pthread_barrier_t inside;
    atomic_int left;
    atomic_bool over;
};

/* Comes again and again, until it is refused and after it. */
static void *come_late(void *argument)
{
    struct endpoint *endpoint = argument;
    while (!atomic_load(&endpoint->over))
        if (callers_enter(&endpoint->callers))
            callers_leave(&endpoint->callers);
    return NULL;
}

/* They do not end the waiting for those inside: but for the last of these, nobody posts. */
static void the_late_count_for_nothing(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; ++round) {
        struct endpoint endpoint = {.left = 0};
        pthread_t late;
        callers_init(&endpoint.callers);
        assert_true(callers_enter(&endpoint.callers));
        assert_int_equal(pthread_create(&late, NULL, come_late, &endpoint), 0);
        callers_refuse(&endpoint.callers);
        for (int i = 0; i < 100; ++i)
            assert_false(callers_enter(&endpoint.callers));
        callers_leave(&endpoint.callers);
        callers_await(&endpoint.callers);
        for (int i = 0; i < 100; ++i)
            assert_int_equal(sem_trywait(&endpoint.callers.gone), -1);
        atomic_store(&endpoint.over, true);
        assert_int_equal(pthread_join(late, NULL), 0);
    }
}

/* Leaves once it is told to, by what a call looks at while it waits. */
static void *call(void *argument)
{
    struct endpoint *endpoint = argument;
    const bool entered = callers_enter(&endpoint->callers);
    pthread_barrier_wait(&endpoint->inside);
    while (!callers_refused(&endpoint->callers))
        sched_yield();
    atomic_fetch_add(&endpoint->left, 1);
    callers_leave(&endpoint->callers); /* from here on it may be gone: under a sanitizer, a round shows it */
    return (void *)(intptr_t)entered;
}

static void all_inside_are_waited_for(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; ++round) {
        pthread_t threads[THREADS];
        struct endpoint *endpoint = calloc(1, sizeof *endpoint);
        assert_non_null(endpoint);
        callers_init(&endpoint->callers);
        pthread_barrier_init(&endpoint->inside, NULL, THREADS + 1);
        for (int i = 0; i < THREADS; ++i)
            assert_int_equal(pthread_create(&threads[i], NULL, call, endpoint), 0);
        pthread_barrier_wait(&endpoint->inside);
        callers_refuse(&endpoint->callers);
        const bool late = callers_enter(&endpoint->callers); /* which must not end the waiting for the others */
        callers_await(&endpoint->callers);
        const int left = atomic_load(&endpoint->left);
        pthread_barrier_destroy(&endpoint->inside);
        free(endpoint);
        for (int i = 0; i < THREADS; ++i) {
            void *entered;
            assert_int_equal(pthread_join(threads[i], &entered), 0);
            assert_true(entered != NULL);
        }
        assert_false(late);
        assert_int_equal(left, THREADS);
    }
}

CASES_MAIN(CASE(those_who_come_late_are_refused), CASE(nobody_is_waited_for), CASE(the_late_count_for_nothing),
           CASE(all_inside_are_waited_for))
