/* The threads that are inside an endpoint's calls, so that closing it can wait for them.
 *
 * A call enters before it takes a lock: one that still waits for it is inside, too. Closing refuses whoever comes from
 * then on, wakes those inside from whatever they wait for, which ask callers_refused(), waits until they have left, and
 * then frees what they used. No lock is needed for any of these. */
#ifndef COMMON_CALLERS_H
#define COMMON_CALLERS_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

struct callers {
    atomic_uint state; /* 1: refused; 2 for each that is inside */
    bool awaited; /* some were inside when that was said: the last of them posts `gone`. Of the thread that closes */
    sem_t gone;
};

void callers_init(struct callers *callers);

/* False: the endpoint is being closed, and nothing was entered. */
bool callers_enter(struct callers *callers);
/* Nothing of the endpoint may be touched after it. */
void callers_leave(struct callers *callers);

void callers_refuse(struct callers *callers);
bool callers_refused(const struct callers *callers);
/* Once refused, until all have left. Nothing needs to be given back after it. */
void callers_await(struct callers *callers);

#endif
