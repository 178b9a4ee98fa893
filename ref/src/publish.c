/* The data path of a publisher: into the gate, room in every pair, write to every pair, commit in every pair, out. */
#include "os/os.h"
#include "publisher.h"
#include "thread.h"

#include <errno.h>
#include <stdlib.h>

/* Takes an outlet out of the game; the control thread then drops the pair. */
static void condemn(struct mmipc_publisher *publisher, struct outlet *outlet, int reason)
{
    flag_set(&outlet->gone, 1);
    flag_set(&outlet->peer.verdict, reason);
    endpoint_kick(&publisher->endpoint);
}

/* Wakes the subscriber if it said that it sleeps, once a sleep. */
static inline void rouse(struct outlet *outlet)
{
    uint64_t asleep;
    if (outlet->fence)
        fence_full();
    else
        fence_light();
    /* A3 relaxed: pairs with R3 in subscriber's announce(). Either this load sees that announcement, or the barrier that
     * the subscriber issues after it makes our commit visible to its last look. Nothing is read through this value. */
    asleep = shared_load_relaxed(&outlet->page->asleep);
    if (asleep % 2 == 1 && asleep != outlet->roused) {
        outlet->roused = asleep;
        os_event_signal(outlet->wake_event);
    }
}

/* What a thread outside the gate waits for. */
struct waiting {
    struct mmipc_publisher *publisher;
    struct outlet *outlet;
    uint64_t target;     /* the tail that is to be reached */
    bool for_suspended;  /* wait for a stopped process, too? */
    int64_t deadline_ns;
};

static bool is_over(const struct waiting *waiting)
{
    const struct outlet *outlet = waiting->outlet;
    /* relaxed: the memory is used only after ring_room() has looked, with acquire */
    return shared_load_relaxed(&outlet->page->tail) >= waiting->target || flag_get(&outlet->gone) ||
           (!waiting->for_suspended && flag_get(&outlet->suspended)) ||
           flag_get(&waiting->publisher->endpoint.closing);
}

static bool poll_until_over(const struct waiting *waiting, int64_t start_ns)
{
    const int64_t end_ns = start_ns + spin_budget(&waiting->publisher->spin, start_ns);
    while (end_ns > start_ns) {
        for (int i = 0; i < 32; ++i) {
            if (is_over(waiting))
                return true;
            pause_polling();
        }
        if (os_now_ns() >= end_ns)
            break;
    }
    return false;
}

static int sleep_until_over(const struct waiting *waiting)
{
    struct mmipc_publisher *publisher = waiting->publisher;
    struct outlet *outlet = waiting->outlet;
    const int events[] = {outlet->room_event, publisher->stop_event};
    int result = 1;
    while (result == 1 && !is_over(waiting)) {
        shared_store_relaxed(&outlet->header->wanted, waiting->target); /* relaxed: ordered by R4 */
        publisher->waits += 2;
        /* R4 release: pairs with A4 in inlet_free_to(): announces the sleep and its target */
        shared_store_release(&outlet->header->waiting, publisher->waits + 1);
        os_barrier_heavy(); /* a subscriber that moved its tail before it could see this: we see the tail */
        fence_full();
        if (!is_over(waiting))
            result = os_poll(events, 2, waiting->deadline_ns);
        shared_store_release(&outlet->header->waiting, publisher->waits + 2); /* awake; the label is R4's */
        os_event_clear(outlet->room_event);
    }
    return result == 0 && !is_over(waiting) ? -ETIMEDOUT : result < 0 ? result : 0;
}

/* Inside the gate, which it leaves while it waits. 0: look again; -ETIMEDOUT, -ESHUTDOWN. */
static int wait_outside(const struct waiting *waiting)
{
    struct mmipc_publisher *publisher = waiting->publisher;
    struct outlet *outlet = waiting->outlet;
    int result;
    outlet->waiters++;
    endpoint_enter(&publisher->endpoint);
    gate_leave(&publisher->gate);
    result = turn_take(&publisher->waiting_turn, waiting->deadline_ns);
    if (result == 0) {
        const int64_t start_ns = os_now_ns();
        if (!poll_until_over(waiting, start_ns))
            result = sleep_until_over(waiting);
        spin_learn(&publisher->spin, os_now_ns() - start_ns);
        turn_give(&publisher->waiting_turn);
    }
    gate_enter(&publisher->gate);
    outlet->waiters--;
    if (flag_get(&outlet->gone))
        endpoint_kick(&publisher->endpoint); /* it may be freed now */
    if (flag_get(&publisher->endpoint.closing))
        result = -ESHUTDOWN;
    endpoint_leave(&publisher->endpoint);
    return result;
}

/* What is to be done about a full outlet. 0: look at all of them again. */
static int when_full(struct mmipc_publisher *publisher, struct outlet *outlet, uint64_t bytes, int64_t *deadline_ns)
{
    const struct ring_writer *ring = &outlet->ring;
    const mmipc_options *options = &publisher->endpoint.options;
    uint64_t target = ring->head + bytes - ring->size;
    if (flag_get(&outlet->suspended) || options->when_full == MMIPC_WHEN_FULL_DISCONNECT) {
        condemn(publisher, outlet, MMIPC_REASON_FULL);
        return 0;
    }
    if (options->when_full == MMIPC_WHEN_FULL_FAIL)
        return -EAGAIN;
    if (thread_is_callback_thread)
        return -EDEADLK;
    if (*deadline_ns == 0)
        *deadline_ns = thread_deadline(options->publish_timeout_ms == 0 ? -1 : options->publish_timeout_ms);
    /* Half a ring at once: woken for every record, the two sides would do little but wake each other. */
    if (target < ring->tail + ring->size / 2)
        target = ring->tail + ring->size / 2;
    if (target > ring->head)
        target = ring->head;
    return wait_outside(&(struct waiting){publisher, outlet, target, false, *deadline_ns});
}

/* Inside the gate: 0 when every outlet that is not gone has room, all at the same time. */
static int reserve(struct mmipc_publisher *publisher, uint64_t bytes)
{
    int64_t deadline_ns = 0; /* not asked for yet */
again:
    if (flag_get(&publisher->endpoint.closing))
        return -ESHUTDOWN;
    for (size_t i = 0; i < publisher->outlet_count; ++i) {
        struct outlet *outlet = publisher->outlets[i];
        int room = flag_get(&outlet->gone) ? 1 : ring_room(&outlet->ring, bytes);
        if (room == 1)
            continue;
        if (room < 0) {
            condemn(publisher, outlet, MMIPC_REASON_PROTOCOL);
            continue;
        }
        room = when_full(publisher, outlet, bytes, &deadline_ns);
        if (room < 0)
            return room;
        goto again; /* the list may have changed while the gate was open */
    }
    return 0;
}

int mmipc_publish_parts(mmipc_publisher *publisher, const mmipc_part *parts, size_t count)
{
    struct record_size size;
    int result;
    if (publisher == NULL || (parts == NULL && count != 0))
        return -EINVAL;
    if (endpoint_forked(&publisher->endpoint))
        return -EPERM;
    result = record_measure(parts, count, &size);
    if (result != 0)
        return result;
    if (size.total > publisher->ring_bytes)
        return -EMSGSIZE;
    gate_enter(&publisher->gate);
    result = reserve(publisher, size.total);
    if (result != 0)
        goto out;
    for (size_t i = 0; i < publisher->outlet_count; ++i)
        if (!flag_get(&publisher->outlets[i]->gone))
            ring_write(&publisher->outlets[i]->ring, parts, count, size.body);
    for (size_t i = 0; i < publisher->outlet_count; ++i)
        if (!flag_get(&publisher->outlets[i]->gone))
            ring_commit(&publisher->outlets[i]->ring, size.total);
    for (size_t i = 0; i < publisher->outlet_count; ++i)
        rouse(publisher->outlets[i]);
out:
    gate_leave(&publisher->gate);
    return result;
}

int mmipc_publish(mmipc_publisher *publisher, const void *data, size_t size)
{
    const mmipc_part part = {data, size};
    return mmipc_publish_parts(publisher, &part, 1);
}

/* What a flush waits for: how far each outlet had been written to when it began. */
struct mark {
    struct outlet *outlet;
    uint64_t head;
};

/* Inside the gate. */
static int flush_outlet(struct mmipc_publisher *publisher, const struct mark *mark, int timeout_ms, int64_t deadline_ns)
{
    const struct waiting waiting = {publisher, mark->outlet, mark->head, true, deadline_ns};
    while (!is_over(&waiting)) {
        int result = timeout_ms == 0             ? -ETIMEDOUT
                     : thread_is_callback_thread ? -EDEADLK
                                                 : wait_outside(&waiting);
        if (result != 0)
            return result;
    }
    return flag_get(&publisher->endpoint.closing) ? -ESHUTDOWN : 0;
}

int mmipc_publisher_flush(mmipc_publisher *publisher, int timeout_ms)
{
    const int64_t deadline_ns = thread_deadline(timeout_ms);
    struct mark *marks;
    size_t count;
    int result = 0;
    if (publisher == NULL)
        return -EINVAL;
    if (endpoint_forked(&publisher->endpoint))
        return -EPERM;
    gate_enter(&publisher->gate);
    count = publisher->outlet_count;
    marks = malloc((count + 1) * sizeof *marks);
    for (size_t i = 0; marks != NULL && i < count; ++i) {
        marks[i] = (struct mark){publisher->outlets[i], publisher->outlets[i]->ring.head};
        marks[i].outlet->waiters++; /* keeps it while others are waited for */
    }
    for (size_t i = 0; marks != NULL && i < count; ++i) {
        if (result == 0)
            result = flush_outlet(publisher, &marks[i], timeout_ms, deadline_ns);
        marks[i].outlet->waiters--;
        if (flag_get(&marks[i].outlet->gone))
            endpoint_kick(&publisher->endpoint);
    }
    gate_leave(&publisher->gate);
    result = marks == NULL ? -ENOMEM : result;
    free(marks);
    return result;
}
