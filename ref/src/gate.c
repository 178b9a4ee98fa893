#include "gate.h"

#include "os/os.h"

#include <sched.h>

void gate_open(struct gate *gate)
{
    atomic_init(&gate->owner, 0);
    atomic_init(&gate->inside, 0);
    atomic_init(&gate->revoked, 0);
    atomic_init(&gate->callers, 0);
    gate->by_bias = false;
    gate->may_bias = os_barrier_own_register();
    pthread_mutex_init(&gate->lock, NULL);
}

void gate_close(struct gate *gate)
{
    /* A10 acquire: pairs with R10 in gate_leave_locked() */
    while (atomic_load_explicit(&gate->callers, memory_order_acquire) > 0)
        sched_yield(); /* for the few instructions that are left of an unlock */
    pthread_mutex_destroy(&gate->lock);
}

/* The owner cannot say that it has left: clearing `inside` must be its last access, for the gate may be freed then. So it is
 * polled for. It is inside no longer than copying a message takes: whoever waits for room does so outside. */
static void revoke(struct gate *gate)
{
    atomic_store_explicit(&gate->revoked, 1, memory_order_relaxed); /* relaxed: ordered by the barrier */
    os_barrier_own();
    /* A8 acquire: pairs with R8 in gate_leave() */
    while (atomic_load_explicit(&gate->inside, memory_order_acquire))
        sched_yield();
}

void gate_enter_locked(struct gate *gate, bool publishing)
{
    uint64_t owner;
    atomic_fetch_add_explicit(&gate->callers, 1, memory_order_relaxed); /* relaxed: gate_close comes after, see there */
    pthread_mutex_lock(&gate->lock);
    owner = atomic_load_explicit(&gate->owner, memory_order_relaxed); /* relaxed: changed under the lock only */
    if (owner != 0 && owner != thread_number()) {
        revoke(gate);
        if (publishing) {
            gate->may_bias = false;
            atomic_store_explicit(&gate->owner, 0, memory_order_relaxed);
        }
    } else if (owner == 0 && publishing && gate->may_bias) {
        atomic_store_explicit(&gate->owner, thread_number(), memory_order_relaxed);
    }
    gate->by_bias = false;
}

void gate_leave_locked(struct gate *gate)
{
    /* Once the bias has ended, revoked stays: its former owner may be about to look, having found itself the owner. */
    if (atomic_load_explicit(&gate->owner, memory_order_relaxed) != 0) /* relaxed: changed under the lock only */
        /* R7 release: pairs with A7 in gate_enter(): what we did inside */
        atomic_store_explicit(&gate->revoked, 0, memory_order_release);
    pthread_mutex_unlock(&gate->lock);
    /* R10 release: pairs with A10 in gate_close(): the last access */
    atomic_fetch_sub_explicit(&gate->callers, 1, memory_order_release);
}

void gate_enter_instead(struct gate *gate)
{
    atomic_fetch_add_explicit(&gate->callers, 1, memory_order_relaxed); /* before we are out: one of the two must be seen */
    atomic_store_explicit(&gate->inside, 0, memory_order_release);      /* R8 */
    gate_enter_locked(gate, true);
    atomic_fetch_sub_explicit(&gate->callers, 1, memory_order_relaxed); /* relaxed: the lock's own count still holds */
}
