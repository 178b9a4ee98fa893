/* Threads of the library: all signals blocked, so that the program's handlers run on the program's threads. */
#ifndef MMIPC_THREAD_H
#define MMIPC_THREAD_H

#include "os/os.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Set on threads that call the user's functions: there nothing may wait (-EDEADLK). */
extern _Thread_local bool thread_is_callback_thread;

void thread_in_child(void); /* of fork(): it is nobody's callback thread */

/* A number for the calling thread that no other thread of this process ever has; never 0. */
uint64_t thread_take_number(void);
extern _Thread_local uint64_t thread_own_number __attribute__((tls_model("initial-exec")));
static inline uint64_t thread_number(void)
{
    return thread_own_number != 0 ? thread_own_number : thread_take_number();
}

/* Around a call of the user's: in a child that was forked in it, and came back, there is nothing to come back to. */
static inline unsigned thread_before_call(void)
{
    return atomic_load_explicit(&os_fork_generation, memory_order_relaxed); /* relaxed: set before the child runs */
}
static inline void thread_after_call(unsigned before)
{
    if (thread_before_call() != before)
        pthread_exit(NULL);
}

int thread_start(pthread_t *out, void *(*run)(void *), void *argument);

/* Condition variables that take a deadline on the monotonic clock; -1: none. */
int thread_cond_init(pthread_cond_t *condition);
int thread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t deadline_ns); /* -ETIMEDOUT */

/* A lock that can be waited for until a deadline, for what may itself be held while its holder sleeps. */
struct turn {
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool taken;
};
int turn_open(struct turn *turn);
void turn_close(struct turn *turn);
int turn_take(struct turn *turn, int64_t deadline_ns); /* -ETIMEDOUT */
void turn_give(struct turn *turn);
/* For a moment, in which who wants it waits whatever its deadline. False: it is taken. */
bool turn_hold_if_free(struct turn *turn);
void turn_let_go(struct turn *turn);

/* A timeout_ms as the public functions take it, as a deadline. */
int64_t thread_deadline(int timeout_ms);

#endif
