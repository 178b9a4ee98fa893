#include "gate.h"

#include "os/os.h"

#include <sched.h>
#include <string.h>

enum {
    FIRST_NEEDED = 256, /* publishes in a row for a second bias; each further one takes four times as many */
    YIELDS = 100,
    NAP_NS = 50000
};

void gate_open(struct gate *gate)
{
    memset(gate, 0, sizeof *gate);
    atomic_init(&gate->current, &gate->biases[0]);
    gate->can_bias = os_barrier_own_register();
    pthread_mutex_init(&gate->lock, NULL);
}

/* A real-time thread that only yielded would keep the processor from the very thread that it waits for. */
static void give_way(int *yields)
{
    if (*yields < YIELDS) {
        ++*yields;
        sched_yield();
    } else {
        os_poll(NULL, 0, os_now_ns() + NAP_NS);
    }
}

/* The owner cannot say that it has left: clearing `inside` must be its last access, for the gate may be freed then. So
 * it is polled for. It is inside no longer than copying a message takes: whoever waits for room does so outside. */
static void revoke(struct bias *bias)
{
    int yields = 0;
    atomic_store_explicit(&bias->revoked, 1, memory_order_relaxed); /* relaxed: ordered by the barrier */
    os_barrier_own();
    /* A8 acquire: pairs with R8 in gate_leave_by() */
    while (atomic_load_explicit(&bias->inside, memory_order_acquire))
        give_way(&yields);
}

/* Every bias is revoked, ended ones as well: its former owner may have marked itself inside and not yet looked, and
 * then counts among the callers before it takes the mark away. */
void gate_close(struct gate *gate)
{
    int yields = 0;
    pthread_mutex_lock(&gate->lock);
    for (int i = 0; i < gate->used; ++i)
        revoke(&gate->biases[i]);
    pthread_mutex_unlock(&gate->lock);
    /* A10 acquire: pairs with R10 in gate_leave_locked() */
    while (atomic_load_explicit(&gate->callers, memory_order_acquire) > 0)
        give_way(&yields); /* for the few instructions that are left of an unlock */
    pthread_mutex_destroy(&gate->lock);
}

/* Under the lock: does the calling thread deserve a bias? */
static void consider_bias(struct gate *gate, uint64_t thread)
{
    gate->streak = gate->last_publisher == thread ? gate->streak + 1 : 0;
    gate->last_publisher = thread;
    if (!gate->can_bias || gate->used == GATE_BIASES || gate->streak < gate->needed)
        return;
    gate->needed = gate->needed == 0 ? FIRST_NEEDED : 4 * gate->needed;
    atomic_store_explicit(&gate->biases[gate->used].owner, thread, memory_order_relaxed); /* only we believe it */
    atomic_store_explicit(&gate->current, &gate->biases[gate->used++], memory_order_relaxed);
}

void gate_enter_locked(struct gate *gate, bool publishing)
{
    const uint64_t thread = thread_number();
    struct bias *bias;
    uint64_t owner;
    atomic_fetch_add_explicit(&gate->callers, 1, memory_order_relaxed); /* relaxed: gate_close comes after, see there */
    pthread_mutex_lock(&gate->lock);
    bias =
        atomic_load_explicit(&gate->current, memory_order_relaxed); /* relaxed: this and owner change under the lock */
    owner = atomic_load_explicit(&bias->owner, memory_order_relaxed);
    if (owner != 0 && owner != thread) {
        revoke(bias);
        if (publishing)
            atomic_store_explicit(&bias->owner, owner = 0, memory_order_relaxed);
    }
    if (publishing && owner == 0)
        consider_bias(gate, thread);
    gate->held = NULL;
}

void gate_leave_locked(struct gate *gate)
{
    struct bias *bias = atomic_load_explicit(&gate->current, memory_order_relaxed); /* relaxed: under the lock */
    if (atomic_load_explicit(&bias->owner, memory_order_relaxed) != 0)
        /* R7 release: pairs with A7 in gate_try(): what we did inside */
        atomic_store_explicit(&bias->revoked, 0, memory_order_release);
    pthread_mutex_unlock(&gate->lock);
    /* R10 release: pairs with A10 in gate_close(): the last access */
    atomic_fetch_sub_explicit(&gate->callers, 1, memory_order_release);
}

void gate_enter_instead(struct gate *gate, struct bias *bias)
{
    atomic_fetch_add_explicit(&gate->callers, 1,
                              memory_order_relaxed);               /* before we are out: one of the two must be seen */
    atomic_store_explicit(&bias->inside, 0, memory_order_release); /* R8 */
    gate_enter_locked(gate, true);
    atomic_fetch_sub_explicit(&gate->callers, 1, memory_order_relaxed); /* relaxed: the lock's own count still holds */
}
