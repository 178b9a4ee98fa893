/* Lets one thread at a time publish, or change the list of pairs.
 *
 * A locked instruction on the publish path empties the store buffer: with a mutex 9 million messages of 64 bytes a
 * second, with this 12 to 20, when it was introduced. So the gate is biased to the thread that publishes: that thread
 * enters and leaves with plain stores and loads. Whoever else wants in raises `revoked`, makes the owner's processor
 * obey with a heavy barrier, and waits until the owner is out:
 *
 *   owner                         other, holding the lock
 *   inside = 1                    revoked = 1
 *   (light fence)                 heavy barrier
 *   revoked ? out again : in      wait until inside == 0
 *
 * Either the owner sees revoked, or the other sees inside. Another publishing thread ends the bias; a thread that then
 * publishes often enough in a row gets a new one, each time later. A bias is never used again: its former owner may
 * have found itself the owner and been stopped before it looked at `revoked`, which therefore stays raised for ever. */
#ifndef MMIPC_GATE_H
#define MMIPC_GATE_H

#include "atomics.h"
#include "thread.h"

#include <pthread.h>
#include <stdbool.h>

enum { GATE_BIASES = 16 };

struct bias {
    _Atomic uint64_t owner; /* thread_number of the thread that has it; 0: none, not yet or no more */
    _Atomic int inside;     /* the owner is; its own to write */
    _Atomic int revoked;    /* the owner must take the lock like anybody else */
};

struct gate {
    struct bias *_Atomic current;
    struct bias *held;    /* how the one inside got in; NULL: by the lock */
    _Atomic int callers;  /* of gate_enter_locked, until they have left: the gate is not closed under them */
    pthread_mutex_t lock; /* of all but the owner, and of the rest */
    bool can_bias;        /* heavy barriers work */
    int used;             /* biases */
    uint64_t last_publisher;
    uint64_t streak, needed; /* of publishes by that one thread, for the next bias */
    struct bias biases[GATE_BIASES];
};

void gate_open(struct gate *gate);
void gate_close(struct gate *gate);                         /* after the last call has begun; waits until it has left */
void gate_enter_locked(struct gate *gate, bool publishing); /* any thread; publishing: may end or get a bias */
void gate_leave_locked(struct gate *gate);
void gate_enter_instead(struct gate *gate, struct bias *bias); /* its owner found it revoked: in through the lock */

/* The steps by which the owner gets in and out, for whom every store counts. NULL: the caller has no bias. */
static inline struct bias *gate_own(struct gate *gate)
{
    struct bias *bias = atomic_load_explicit(&gate->current, memory_order_relaxed); /* relaxed: one of an array */
    /* relaxed: the value is ours only if this very thread stored it */
    const uint64_t owner = atomic_load_explicit(&bias->owner, memory_order_relaxed);
    return owner != 0 && owner == thread_own_number ? bias : NULL;
}

/* By its own bias. False: it is revoked, and gate_enter_instead() has to follow. */
static inline bool gate_try(struct bias *bias)
{
    atomic_store_explicit(&bias->inside, 1, memory_order_relaxed); /* relaxed: ordered by the heavy barrier */
    fence_light();
    /* A7 acquire: pairs with R7 in gate_leave_locked(): what the other changed */
    return !atomic_load_explicit(&bias->revoked, memory_order_acquire);
}

/* Out again after gate_try(). */
static inline void gate_leave_by(struct bias *bias)
{
    /* R8 release: pairs with A8 in revoke(): what we did inside. The gate may be freed from here on. */
    atomic_store_explicit(&bias->inside, 0, memory_order_release);
}

/* Stays inside as if by gate_enter(). */
static inline void gate_stay(struct gate *gate, struct bias *bias)
{
    gate->held = bias;
}

static inline void gate_enter(struct gate *gate)
{
    struct bias *bias = gate_own(gate);
    if (bias == NULL)
        gate_enter_locked(gate, true);
    else if (gate_try(bias))
        gate_stay(gate, bias);
    else
        gate_enter_instead(gate, bias);
}

static inline void gate_leave(struct gate *gate)
{
    if (gate->held == NULL)
        gate_leave_locked(gate);
    else
        gate_leave_by(gate->held);
}

#endif
