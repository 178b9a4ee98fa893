#include "agent.h"

#include <signal.h>
#include <unistd.h>

static atomic_bool fired;

void killer_die(void)
{
    kill(getpid(), SIGKILL);
    killer_await_death();
}

void killer_await_death(void)
{
    for (;;)
        pause();
}

/* It spins, since being woken would take longer than most publishes. */
static void *shoot(void *unused)
{
    (void)unused;
    while (!atomic_load_explicit(&fired, memory_order_acquire)) {
    }
    kill(getpid(), SIGKILL);
    return NULL;
}

int killer_prepare(void)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, shoot, NULL);
    if (error == 0)
        pthread_detach(thread);
    return -error;
}

void killer_fire(void)
{
    atomic_store_explicit(&fired, true, memory_order_release);
}
