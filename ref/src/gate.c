#include "gate.h"

#include "os/os.h"

void gate_open(struct gate *gate)
{
    atomic_init(&gate->owner, 0);
    atomic_init(&gate->inside, 0);
    atomic_init(&gate->revoked, 0);
    gate->by_bias = false;
    gate->may_bias = os_barrier_own_register();
    pthread_mutex_init(&gate->lock, NULL);
    pthread_cond_init(&gate->left, NULL);
}

void gate_close(struct gate *gate)
{
    pthread_cond_destroy(&gate->left);
    pthread_mutex_destroy(&gate->lock);
}

/* Waiting opens the lock, and whoever takes it meanwhile lowers `revoked` on leaving, and so lets the owner in again:
 * each time all over. */
static void revoke(struct gate *gate)
{
    for (;;) {
        atomic_store_explicit(&gate->revoked, 1, memory_order_relaxed); /* relaxed: ordered by the barrier */
        os_barrier_own();
        /* A8 acquire: pairs with R8 in gate_leave() */
        if (!atomic_load_explicit(&gate->inside, memory_order_acquire))
            return;
        pthread_cond_wait(&gate->left, &gate->lock);
    }
}

void gate_enter_locked(struct gate *gate, bool publishing)
{
    uint64_t owner;
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
}

void gate_tell_left(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    pthread_cond_broadcast(&gate->left);
    pthread_mutex_unlock(&gate->lock);
}
