#include "callers.h"

#include <errno.h>

enum { REFUSED = 1, ONE = 2 };

void callers_init(struct callers *callers)
{
    atomic_init(&callers->state, 0);
    callers->awaited = false;
    sem_init(&callers->gone, 0, 0);
}

/* Who is refused is never counted: one that only looked in must neither be waited for nor post for those inside. */
bool callers_enter(struct callers *callers)
{
    unsigned state = atomic_load(&callers->state);
    while ((state & REFUSED) == 0)
        if (atomic_compare_exchange_weak(&callers->state, &state, state + ONE))
            return true;
    return false;
}

void callers_leave(struct callers *callers)
{
    if (atomic_fetch_sub(&callers->state, ONE) == (ONE | REFUSED))
        sem_post(&callers->gone);
}

void callers_refuse(struct callers *callers)
{
    callers->awaited = atomic_fetch_or(&callers->state, REFUSED) >= ONE;
}

bool callers_refused(const struct callers *callers)
{
    return (atomic_load(&callers->state) & REFUSED) != 0;
}

/* It is not the count that is waited for: the last to leave still has to post, and nothing may be freed before. */
void callers_await(struct callers *callers)
{
    while (callers->awaited && sem_wait(&callers->gone) < 0 && errno == EINTR)
        ;
    callers->awaited = false;
}
