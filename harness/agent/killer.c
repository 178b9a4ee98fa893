#include "agent.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

enum { WAIT, FIRE, DISMISSED };
static const uint64_t spread_ns = 4000;
static const uint64_t spin_ns = 100000; /* the kernel wakes us up to so much late */

static _Noreturn void await_death(void)
{
    for (;;)
        pause();
}

static _Noreturn void die(void)
{
    kill(getpid(), SIGKILL);
    await_death();
}

/* The moment itself is what is aimed at: there is no event to wait for. A long stretch is not spun away, for whoever is
 * to be hit may need the processor. */
static void let_pass(uint64_t nanoseconds)
{
    uint64_t until = ipcmark_now_ns() + nanoseconds, early = until - spin_ns;
    struct timespec time = {.tv_sec = (time_t)(early / 1000000000u), .tv_nsec = (long)(early % 1000000000u)};
    while (nanoseconds > spin_ns && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR) {
    }
    while (ipcmark_now_ns() < until) {
    }
}

/* It spins, since being woken would take longer than most publishes. */
static void *shoot(void *context)
{
    struct killer *killer = context;
    int order;
    while ((order = atomic_load_explicit(&killer->order, memory_order_acquire)) == WAIT) {
    }
    if (order == FIRE) {
        let_pass(killer->lag_ns);
        kill(getpid(), SIGKILL);
    }
    return NULL;
}

/* A signal takes a microsecond or three, and many a publish less: so each shoots at another moment around the call, for
 * some of them to hit it. */
static void aim(struct killer *killer, uint64_t seed)
{
    uint64_t random = (seed ^ seed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    random = (random ^ random >> 27) * UINT64_C(0x94D049BB133111EB);
    random ^= random >> 31;
    killer->lead_ns = random % 2 == 0 ? (random >> 1) % spread_ns : 0;
    killer->lag_ns = random % 2 == 1 ? (random >> 1) % spread_ns : 0;
}

static int arm(struct killer *killer)
{
    int error = pthread_create(&killer->shooter, NULL, shoot, killer);
    killer->armed = error == 0;
    return -error;
}

int killer_prepare(struct killer *killer, enum kill_moment moment, uint64_t seed)
{
    killer->moment = moment;
    atomic_init(&killer->order, WAIT);
    if (moment != KILL_INSIDE)
        return 0;
    aim(killer, seed);
    return arm(killer);
}

struct killer *killer_read(struct killer *killer, const cJSON *request)
{
    double after_us = request_number(request, "kill_self_after_us", -1);
    if (after_us < 0)
        return NULL;
    *killer = (struct killer){.moment = KILL_LATER, .lag_ns = (uint64_t)(after_us * 1e3)};
    return killer;
}

void killer_arm(struct killer *killer)
{
    if (arm(killer) < 0)
        out_fatal("no thread can be started");
}

void killer_dismiss(struct killer *killer)
{
    if (!killer->armed)
        return;
    atomic_store_explicit(&killer->order, DISMISSED, memory_order_release);
    pthread_join(killer->shooter, NULL);
}

void killer_before_call(struct killer *killer)
{
    if (killer->moment == KILL_BEFORE)
        die();
    if (!killer->armed)
        return;
    atomic_store_explicit(&killer->order, FIRE, memory_order_release);
    let_pass(killer->lead_ns);
}

void killer_after_call(struct killer *killer)
{
    if (!killer->armed) /* after it; or it did not come to the call */
        die();
    await_death();
}
