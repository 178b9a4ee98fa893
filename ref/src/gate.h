/* Lets one thread at a time publish, or change the list of pairs.
 *
 * A locked instruction on the publish path empties the store buffer and costs two thirds of the throughput. So the gate
 * is biased to the first thread that publishes: that thread enters and leaves with plain stores and loads. Whoever else
 * wants in raises `revoked`, makes the owner's processor obey with a heavy barrier, and waits until the owner is out:
 *
 *   owner                         other, holding the lock
 *   inside = 1                    revoked = 1
 *   (light fence)                 heavy barrier
 *   revoked ? out again : in      wait until inside == 0
 *
 * Either the owner sees revoked, or the other sees inside. A second publishing thread ends the bias for good. */
#ifndef MMIPC_GATE_H
#define MMIPC_GATE_H

#include "atomics.h"
#include "thread.h"

#include <pthread.h>
#include <stdbool.h>

struct gate {
    _Atomic uint64_t owner; /* thread_number of the thread that it is biased to; 0: none */
    _Atomic int inside;     /* the owner is; its own to write */
    _Atomic int revoked;    /* the owner must take the lock like anybody else */
    bool by_bias;           /* how the one inside got in */
    bool may_bias;          /* heavy barriers work, and no second thread has published */
    _Atomic int callers;    /* of gate_enter_locked, until they have left: the gate is not closed under them */
    pthread_mutex_t lock;   /* of all but the owner */
};

void gate_open(struct gate *gate);
void gate_close(struct gate *gate); /* after the last call has begun; waits until it has left */
void gate_enter_locked(struct gate *gate, bool publishing); /* any thread; publishing: may become or end the bias */
void gate_leave_locked(struct gate *gate);
void gate_enter_instead(struct gate *gate); /* the owner found it revoked: out again, and in through the lock */

static inline void gate_enter(struct gate *gate)
{
    /* relaxed: the value is ours only if this very thread stored it */
    if (atomic_load_explicit(&gate->owner, memory_order_relaxed) == thread_number()) {
        atomic_store_explicit(&gate->inside, 1, memory_order_relaxed); /* relaxed: ordered by the heavy barrier */
        fence_light();
        /* A7 acquire: pairs with R7 in gate_leave_locked(): what the other changed */
        if (!atomic_load_explicit(&gate->revoked, memory_order_acquire)) {
            gate->by_bias = true;
            return;
        }
        gate_enter_instead(gate);
        return;
    }
    gate_enter_locked(gate, true);
}

static inline void gate_leave(struct gate *gate)
{
    if (!gate->by_bias) {
        gate_leave_locked(gate);
        return;
    }
    /* R8 release: pairs with A8 in revoke(): what we did inside. The gate may be freed from here on. */
    atomic_store_explicit(&gate->inside, 0, memory_order_release);
}

#endif
