/* The data path of a publisher: into the gate, room in every pair, write to every pair, commit in every pair, out. */
#include "os/os.h"
#include "publisher.h"
#include "thread.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

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
        os_wake_send(outlet->wake_event);
    }
}

/* What a thread outside the gate waits for. */
struct waiting {
    struct mmipc_publisher *publisher;
    struct outlet *outlet;
    uint64_t target;    /* the tail that is to be reached */
    bool for_suspended; /* wait for a stopped process, too? */
    int64_t deadline_ns;
};

static bool has_read(const struct outlet *outlet, uint64_t target)
{
    /* relaxed: the memory is used only after ring_room() has looked, with acquire */
    return shared_load_relaxed(&outlet->page->tail) >= target;
}

static bool is_over(const struct waiting *waiting)
{
    const struct outlet *outlet = waiting->outlet;
    return has_read(outlet, waiting->target) || flag_get(&outlet->gone) ||
           (!waiting->for_suspended && flag_get(&outlet->suspended)) ||
           flag_get(&waiting->publisher->endpoint.closing);
}

static bool poll_until_over(const struct waiting *waiting, int64_t start_ns)
{
    int64_t end_ns = start_ns + spin_budget(&waiting->outlet->spin, start_ns);
    if (waiting->deadline_ns >= 0 && end_ns > waiting->deadline_ns)
        end_ns = waiting->deadline_ns;
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

/* Once: until the tail reaches `target`, or somebody signals. */
static void sleep_once(const struct waiting *waiting, uint64_t target)
{
    struct outlet *outlet = waiting->outlet;
    struct nudge *nudge = &waiting->publisher->nudge;
    const int events[] = {outlet->room_event, nudge->event};
    const int64_t start_ns = os_now_ns();
    const bool paid = poll_until_over(waiting, start_ns);
    if (!paid) {
        shared_store_relaxed(&outlet->header->wanted, target); /* relaxed: ordered by R4 */
        outlet->sleeps += 2;
        nudge_expect(nudge);
        /* R4 release: pairs with A4 in inlet_free_to(): announces the sleep and its target */
        shared_store_release(&outlet->header->waiting, outlet->sleeps + 1);
        os_barrier_heavy(); /* a subscriber that moved its tail before it could see this: we see the tail */
        fence_full();
        if (!has_read(outlet, target) && !is_over(waiting))
            os_poll(events, 2, waiting->deadline_ns);
        nudge_over(nudge);
        shared_store_release(&outlet->header->waiting, outlet->sleeps + 2); /* awake; the label is R4's */
        if (outlet->room_event >= 0 && os_wake_clear(outlet->room_event) != 0) { /* dying, or deaf to our waiting */
            os_close(outlet->room_event);
            outlet->room_event = -1;
        }
    }
    spin_learn(&outlet->spin, os_now_ns() - start_ns, paid);
}

/* Of all threads that wait for an outlet one sleeps on its event, for the nearest target of all; the others wait for it. */
static int wait_in_turn(const struct waiting *waiting)
{
    struct outlet *outlet = waiting->outlet;
    uint64_t nearest;
    int result = 0;
    pthread_mutex_lock(&outlet->wait_lock);
    while (result == 0 && !is_over(waiting)) {
        if (waiting->deadline_ns >= 0 && os_now_ns() >= waiting->deadline_ns) {
            result = -ETIMEDOUT;
            break;
        }
        if (waiting->target < outlet->nearest) {
            outlet->nearest = waiting->target;
            if (outlet->has_sleeper)
                nudge_give(&waiting->publisher->nudge); /* it sleeps for a target further off */
        }
        if (outlet->has_sleeper) {
            result = thread_cond_wait(&outlet->woken, &outlet->wait_lock, waiting->deadline_ns);
            continue;
        }
        outlet->has_sleeper = true;
        nearest = outlet->nearest;
        pthread_mutex_unlock(&outlet->wait_lock);
        sleep_once(waiting, nearest);
        pthread_mutex_lock(&outlet->wait_lock);
        outlet->has_sleeper = false;
        outlet->nearest = UINT64_MAX; /* whoever goes on waiting says anew for what */
        pthread_cond_broadcast(&outlet->woken);
    }
    pthread_mutex_unlock(&outlet->wait_lock);
    return result == -ETIMEDOUT && is_over(waiting) ? 0 : result;
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
    result = wait_in_turn(waiting);
    gate_enter(&publisher->gate);
    outlet->waiters--;
    if (flag_get(&outlet->gone))
        endpoint_kick(&publisher->endpoint); /* it may be freed now */
    if (flag_get(&publisher->endpoint.closing))
        result = -ESHUTDOWN;
    endpoint_leave(&publisher->endpoint); /* the gate still keeps the publisher from being freed */
    return result;
}

/* What is to be done about a full outlet. */
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

/* Inside the gate. The first outlet without room, NULL if all have; those with nonsense in their page are condemned. */
static struct outlet *first_full(struct mmipc_publisher *publisher, uint64_t bytes)
{
    for (size_t i = 0; i < publisher->outlet_count; ++i) {
        struct outlet *outlet = publisher->outlets[i];
        int room = flag_get(&outlet->gone) ? 1 : ring_room(&outlet->ring, bytes);
        if (room == 0)
            return outlet;
        if (room < 0)
            condemn(publisher, outlet, MMIPC_REASON_PROTOCOL);
    }
    return NULL;
}

/* Inside the gate: 0 when every outlet that is not gone has room, all at the same time. */
static int reserve(struct mmipc_publisher *publisher, uint64_t bytes)
{
    int64_t deadline_ns = 0; /* not asked for yet */
    int result = 0;
    while (result == 0) {
        struct outlet *full;
        if (flag_get(&publisher->endpoint.closing))
            return -ESHUTDOWN;
        full = first_full(publisher, bytes);
        if (full == NULL)
            return 0;
        result = when_full(publisher, full, bytes, &deadline_ns); /* the list may have changed: look at all again */
    }
    return result;
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
    tally_add(&publisher->endpoint.tally, size.body);
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
