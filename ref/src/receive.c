/* What the receiving side does in both modes: its set of inlets, freeing, and the protocol of sleeping and waking.
 *
 * Asleep: announce in every inlet, have every publisher's stores made visible (heavy barrier), look once more, sleep. A
 * publisher commits, then looks for an announcement, without a fence. Either it sees the announcement, or the last look
 * sees its commit; or the barrier has missed it (ORDERING.md), and one more look sees it, OS_SETTLED_NS into the sleep.
 */
#include "os/os.h"
#include "subscriber.h"

#include <stdlib.h>
#include <string.h>

void receive_look_up(struct mmipc_subscriber *subscriber)
{
    /* R9 release: pairs with A9 in receive_adopt(): what there is to look at */
    atomic_store_explicit(&subscriber->attention, 1, memory_order_release);
    os_event_signal(subscriber->attention_event);
}

void inlet_free_to(struct inlet *inlet, uint64_t tail)
{
    uint64_t waiting;
    inlet->freed = tail;
    ring_release(&inlet->ring, tail);
    inlet_leave_behind(inlet, tail);
    if (inlet->fence)
        fence_full();
    else
        fence_light();
    /* A4 acquire: pairs with R4 in sleep_once(): its target is the one of this sleep */
    waiting = shared_load_acquire(&inlet->theirs->waiting);
    if (waiting % 2 == 1 && waiting != inlet->roused && tail >= shared_load_relaxed(&inlet->theirs->wanted)) {
        inlet->roused = waiting;
        os_wake_send(inlet->room_event);
    }
}

static bool inlet_ready(const struct inlet *inlet)
{
    return !inlet->condemned && !inlet->starved && ring_ready(&inlet->ring);
}

bool receive_make_room(struct inlet ***array, size_t count, size_t *capacity)
{
    if (count == *capacity) {
        size_t grown_capacity = *capacity == 0 ? 8 : 2 * *capacity;
        struct inlet **grown = realloc(*array, grown_capacity * sizeof(struct inlet *));
        if (grown == NULL)
            return false;
        *array = grown;
        *capacity = grown_capacity;
    }
    return true;
}

/* An inlet that has hung up and is empty goes back to the control thread. */
static bool give_back_if_drained(struct mmipc_subscriber *subscriber, size_t index)
{
    struct inlet *inlet = subscriber->inlets[index];
    /* A5 acquire: pairs with R5 in dropped(): what was committed before the hang-up is visible now */
    if (!atomic_load_explicit(&inlet->hung_up, memory_order_acquire))
        return false;
    if (inlet->drain_end == 0)
        inlet->drain_end = inlet->ring.position + inlet_unread_at_most(inlet);
    if (inlet->ring.position < inlet->drain_end && inlet_ready(inlet)) {
        atomic_store_explicit(&subscriber->attention, 1,
                              memory_order_relaxed); /* look again when it has been emptied */
        return false;
    }
    os_poller_remove(subscriber->poller, inlet->wake_event);
    subscriber->inlets[index] = subscriber->inlets[--subscriber->inlet_count];
    /* R6 release: pairs with A6 in idle(): our last use of it */
    atomic_store_explicit(&inlet->drained, 1, memory_order_release);
    endpoint_kick(&subscriber->endpoint);
    return true;
}

void receive_adopt(struct mmipc_subscriber *subscriber)
{
    if (!atomic_load_explicit(&subscriber->attention, memory_order_relaxed)) /* relaxed: the exchange orders */
        return;
    /* A9 acquire: pairs with R9 in receive_look_up() */
    atomic_exchange_explicit(&subscriber->attention, 0, memory_order_acquire);
    for (size_t i = 0; i < subscriber->inlet_count; ++i)
        inlet_fed(subscriber->inlets[i]); /* what they wait for may be here */
    pthread_mutex_lock(&subscriber->handover);
    while (subscriber->added_count > 0 &&
           receive_make_room(&subscriber->inlets, subscriber->inlet_count, &subscriber->inlet_capacity)) {
        struct inlet *inlet = subscriber->added[--subscriber->added_count];
        if (os_poller_add(subscriber->poller, inlet->wake_event, inlet, subscriber->on_message != NULL) != 0)
            inlet_condemn(subscriber, inlet, -ENOMEM);
        subscriber->inlets[subscriber->inlet_count++] = inlet;
        shared_store_relaxed(&inlet->ours->asleep, subscriber->naps); /* relaxed: the next announcement orders it */
    }
    if (subscriber->added_count > 0) /* no memory for them now: look again */
        atomic_store_explicit(&subscriber->attention, 1, memory_order_relaxed);
    pthread_mutex_unlock(&subscriber->handover);
    for (size_t i = 0; i < subscriber->inlet_count;)
        if (!give_back_if_drained(subscriber, i))
            ++i;
}

bool receive_any_ready(const struct mmipc_subscriber *subscriber)
{
    for (size_t i = 0; i < subscriber->inlet_count; ++i) {
        ring_prefetch(&subscriber->inlets[i]->ring);
        /* Pull mode: its user must not be told of records that are not messages. */
        if (inlet_ready(subscriber->inlets[i]) &&
            (subscriber->on_message != NULL || inlet_settle(subscriber->inlets[i])))
            return true;
    }
    return atomic_load_explicit(&subscriber->attention, memory_order_relaxed); /* relaxed: receive_adopt() orders */
}

void receive_announce(struct mmipc_subscriber *subscriber)
{
    subscriber->naps += subscriber->announced ? 2 : 1; /* a new sleep, which publishers have not yet ended */
    subscriber->announced = true;
    for (size_t i = 0; i < subscriber->inlet_count; ++i)
        /* R3 release: pairs with A3 in sleep_of() */
        shared_store_release(&subscriber->inlets[i]->ours->asleep, subscriber->naps);
    os_barrier_heavy();
    fence_full();
}

void receive_awake(struct mmipc_subscriber *subscriber)
{
    subscriber->naps += subscriber->announced ? 1 : 0;
    subscriber->announced = false;
    for (size_t i = 0; i < subscriber->inlet_count; ++i)
        shared_store_relaxed(&subscriber->inlets[i]->ours->asleep,
                             subscriber->naps); /* relaxed: a needless wake at worst */
}

void receive_clear(struct mmipc_subscriber *subscriber)
{
    for (size_t i = 0; i < subscriber->inlet_count; ++i) {
        struct inlet *inlet = subscriber->inlets[i];
        if (inlet->wake_event >= 0 &&
            os_wake_clear(inlet->wake_event) != 0) { /* it must not keep the descriptor readable */
            os_poller_remove(subscriber->poller, inlet->wake_event);
            os_close(inlet->wake_event);
            inlet->wake_event = -1;
        }
    }
}

bool receive_poll(struct mmipc_subscriber *subscriber, int64_t start_ns, int64_t deadline_ns)
{
    int64_t now_ns = start_ns, end_ns = start_ns + spin_budget(&subscriber->spin, start_ns);
    if (deadline_ns >= 0 && end_ns > deadline_ns)
        end_ns = deadline_ns;
    while (now_ns < end_ns) {
        for (int i = 0; i < 16; ++i) {
            if (receive_any_ready(subscriber)) {
                spin_learn(&subscriber->spin, now_ns - start_ns,
                           true); /* not a new look at the clock: a message waits */
                return true;
            }
            pause_polling();
        }
        now_ns = os_now_ns();
    }
    return false;
}
