#include "thread.h"

#include "atomics.h"
#include "os/os.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

_Thread_local bool thread_is_callback_thread;
_Thread_local uint64_t thread_own_number; /* initial-exec: read on each publish, without a call */

void thread_in_child(void)
{
    thread_is_callback_thread = false;
}

uint64_t thread_take_number(void)
{
    static _Atomic uint64_t last;
    thread_own_number = atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1; /* relaxed: only unique */
    return thread_own_number;
}

int thread_start(pthread_t *out, void *(*run)(void *), void *argument)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
    sigset_t all, before;
    int error;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; ++i)
        sigdelset(&all, faults[i]); /* a fault in a callback is for the program's crash handler */
    error = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (error != 0)
        return -error;
    error = pthread_create(out, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == EAGAIN ? -ENOMEM : -error; /* no memory for its stack, or no process number */
}

int thread_cond_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    int error = pthread_condattr_init(&attributes);
    if (error != 0)
        return -error;
    error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (error == 0)
        error = pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
    return -error;
}

static struct timespec timespec_of(int64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
}

int thread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t deadline_ns)
{
    struct timespec at;
    if (deadline_ns < 0)
        return -pthread_cond_wait(condition, lock);
    at = timespec_of(deadline_ns);
    return -pthread_cond_timedwait(condition, lock, &at);
}

int turn_open(struct turn *turn)
{
    turn->taken = false;
    pthread_mutex_init(&turn->lock, NULL);
    return thread_cond_init(&turn->over);
}

void turn_close(struct turn *turn)
{
    pthread_cond_destroy(&turn->over);
    pthread_mutex_destroy(&turn->lock);
}

int turn_take(struct turn *turn, int64_t deadline_ns)
{
    int result = 0;
    pthread_mutex_lock(&turn->lock);
    while (turn->taken && result == 0)
        result = thread_cond_wait(&turn->over, &turn->lock, deadline_ns);
    if (!turn->taken) {
        turn->taken = true;
        result = 0;
    }
    pthread_mutex_unlock(&turn->lock);
    return result;
}

void turn_give(struct turn *turn)
{
    pthread_mutex_lock(&turn->lock);
    turn->taken = false;
    pthread_cond_signal(&turn->over);
    pthread_mutex_unlock(&turn->lock);
}

bool turn_hold_if_free(struct turn *turn)
{
    pthread_mutex_lock(&turn->lock);
    if (!turn->taken)
        return true;
    pthread_mutex_unlock(&turn->lock);
    return false;
}

void turn_let_go(struct turn *turn)
{
    pthread_mutex_unlock(&turn->lock);
}

int64_t thread_deadline(int timeout_ms)
{
    return timeout_ms < 0 ? -1 : os_now_ns() + (int64_t)timeout_ms * 1000000;
}
