#include "agent.h"

#include <signal.h>
#include <unistd.h>

enum { WAIT, FIRE, DISMISSED };
static const uint64_t spread_ns = 4000;

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

static void spin(uint64_t nanoseconds)
{
    uint64_t until = ipcmark_now_ns() + nanoseconds;
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
        spin(killer->lag_ns);
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

int killer_prepare(struct killer *killer, enum kill_moment moment, uint64_t seed)
{
    killer->moment = moment;
    atomic_init(&killer->order, WAIT);
    if (moment != KILL_INSIDE)
        return 0;
    aim(killer, seed);
    int error = pthread_create(&killer->shooter, NULL, shoot, killer);
    killer->armed = error == 0;
    return -error;
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
    if (killer->moment != KILL_INSIDE)
        return;
    atomic_store_explicit(&killer->order, FIRE, memory_order_release);
    spin(killer->lead_ns);
}

void killer_after_call(struct killer *killer)
{
    if (killer->moment == KILL_AFTER)
        die();
    await_death();
}
