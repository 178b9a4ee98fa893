/* Waiting for subscribers: for room in the ring of each, for payload memory, for everything to have been read.
 *
 * A subscriber that lags gets a larger ring, up to max_backlog_bytes; only then does when_full apply. But to wait a
 * moment is better than to spend memory: what is used again and again stays in the cache. So, under
 * MMIPC_WHEN_FULL_BLOCK, a publish first waits as long as making the memory would take, which bounds by how
 * much a subscriber that lags slows the others: to four bytes a nanosecond. */
#include "os/os.h"
#include "publisher.h"

#include <errno.h>
#include <stdlib.h>

enum { BYTES_A_NS_OF_PATIENCE = 4, MAIL_RETRY_NS = 1000000 };

/* What a thread outside the gate waits for. */
struct waiting {
    struct mmipc_publisher *publisher;
    struct outlet *outlet;
    uint64_t target;    /* the tail that is to be reached */
    bool for_suspended; /* wait for a stopped process, too? */
    int64_t deadline_ns;
};

/* UINT64_MAX is never reached, whatever a subscriber writes. */
static bool has_read(const struct outlet *outlet, uint64_t target)
{
    /* relaxed: the memory is used only after ring_look() has looked, with acquire */
    return target != UINT64_MAX && shared_load_relaxed(&outlet->theirs->tail) >= target;
}

static bool is_over(const struct waiting *waiting)
{
    const struct outlet *outlet = waiting->outlet;
    return has_read(outlet, waiting->target) || flag_get(&outlet->gone) ||
           (!waiting->for_suspended && flag_get(&outlet->suspended)) || flag_get(&waiting->publisher->endpoint.closing);
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

/* The nearest target of all that wait. Whoever comes with a nearer one after this nudges. */
static uint64_t nearest_target(struct outlet *outlet)
{
    uint64_t nearest;
    pthread_mutex_lock(&outlet->wait_lock);
    nearest = outlet->nearest;
    pthread_mutex_unlock(&outlet->wait_lock);
    return nearest;
}

/* One more look when all that the barrier may have missed is visible (ORDERING.md). */
static void sleep_until_woken(const struct waiting *waiting, uint64_t target)
{
    const int events[] = {waiting->outlet->room_event, waiting->publisher->nudge.event};
    const int64_t settled_ns = os_now_ns() + OS_SETTLED_NS;
    if (waiting->deadline_ns >= 0 && waiting->deadline_ns <= settled_ns)
        os_poll(events, 2, waiting->deadline_ns);
    else if (os_poll(events, 2, settled_ns) == 0 && !has_read(waiting->outlet, target) && !is_over(waiting))
        os_poll(events, 2, waiting->deadline_ns);
}

/* Once: until the tail reaches the nearest target, or somebody signals. */
static void sleep_once(const struct waiting *waiting)
{
    struct outlet *outlet = waiting->outlet;
    struct nudge *nudge = &waiting->publisher->nudge;
    const int64_t start_ns = os_now_ns();
    const bool paid = poll_until_over(waiting, start_ns);
    if (!paid) {
        uint64_t target;
        nudge_expect(nudge);
        target = nearest_target(outlet);
        shared_store_relaxed(&outlet->ours->wanted, target); /* relaxed: ordered by R4 */
        outlet->sleeps += 2;
        /* R4 release: pairs with A4 in inlet_free_to(): announces the sleep and its target */
        shared_store_release(&outlet->ours->waiting, outlet->sleeps + 1);
        os_barrier_heavy(); /* a subscriber that moved its tail before it could see this: we see the tail, or later */
        fence_full();
        if (!has_read(outlet, target) && !is_over(waiting))
            sleep_until_woken(waiting, target);
        nudge_over(nudge);
        shared_store_release(&outlet->ours->waiting, outlet->sleeps + 2);        /* awake; the label is R4's */
        if (outlet->room_event >= 0 && os_wake_clear(outlet->room_event) != 0) { /* dying, or deaf to our waiting */
            os_close(outlet->room_event);
            outlet->room_event = -1;
        }
    }
    spin_learn(&outlet->spin, os_now_ns() - start_ns, paid);
}

/* Of all threads that wait for an outlet one sleeps on its event, for the nearest target of all; the others wait for
 * it. */
static int wait_in_turn(const struct waiting *waiting)
{
    struct outlet *outlet = waiting->outlet;
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
        pthread_mutex_unlock(&outlet->wait_lock);
        sleep_once(waiting);
        pthread_mutex_lock(&outlet->wait_lock);
        outlet->has_sleeper = false;
        /* Whoever goes on waiting says anew for what. Not reached, it is another's, who nudged us: forgotten, it would
         * be said anew when we sleep again for our own, and nudge us again. */
        if (has_read(outlet, outlet->nearest))
            outlet->nearest = UINT64_MAX;
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

/* A publish or a loan that waits, perhaps several times. */
struct patience {
    struct mmipc_publisher *publisher;
    const struct outlet *tried; /* waited for it already: spend the memory */
    bool dropped;               /* somebody, for the sake of memory: once is enough */
    int64_t deadline_ns;        /* 0: not asked for yet */
};

static bool may_wait(const struct mmipc_publisher *publisher)
{
    return publisher->endpoint.options.when_full == MMIPC_WHEN_FULL_BLOCK && !thread_is_callback_thread;
}

static int64_t deadline_of(struct patience *patience)
{
    const int timeout_ms = patience->publisher->endpoint.options.publish_timeout_ms;
    if (patience->deadline_ns == 0)
        patience->deadline_ns = thread_deadline(timeout_ms == 0 ? -1 : timeout_ms);
    return patience->deadline_ns;
}

/* Half a ring at once: woken for every record, the two sides would do little but wake each other. */
static uint64_t target_of(const struct mmipc_publisher *publisher, const struct outlet *outlet, enum shortage shortage,
                          uint64_t bytes)
{
    const struct ring_writer *ring = &outlet->ring;
    uint64_t target = ring->seen;
    if (shortage == SHORT_OF_RING) {
        target = ring->head + bytes + RECORD_SPECIAL_BYTES - ring->limit;
        if (target < ring->tail + ring->limit / 2)
            target = align_up(ring->tail + ring->limit / 2, RECORD_ALIGN);
        if (target > chain_target(publisher, outlet, bytes))
            target = chain_target(publisher, outlet, bytes);
    } else if (shortage == SHORT_OF_BACKLOG) {
        uint64_t paid = 0;
        for (size_t i = 0; i < outlet->debt_count && paid < bytes; ++i) {
            const struct debt *debt = &outlet->debts[(outlet->debt_first + i) % outlet->debt_capacity];
            paid += debt->bytes;
            target = debt->end;
        }
    }
    return target <= ring->seen || target > ring->head ? ring->head : target;
}

/* Waits no longer than spending the memory would take. 0: look again; else -ESHUTDOWN. */
static int wait_a_moment(struct patience *patience, struct outlet *outlet, uint64_t target, uint64_t bytes)
{
    const int64_t most_ns = os_now_ns() + (int64_t)(bytes / BYTES_A_NS_OF_PATIENCE),
                  deadline_ns = deadline_of(patience);
    const struct waiting waiting = {patience->publisher, outlet, target, false,
                                    deadline_ns >= 0 && deadline_ns < most_ns ? deadline_ns : most_ns};
    int result;
    patience->tried = outlet;
    result = wait_outside(&waiting);
    return result == -ETIMEDOUT ? 0 : result;
}

/* There is no more memory for it, so the policy applies. 0: look again. */
static int apply_policy(struct patience *patience, struct outlet *outlet, enum shortage shortage, uint64_t bytes)
{
    struct mmipc_publisher *publisher = patience->publisher;
    const int when_full = publisher->endpoint.options.when_full;
    struct waiting waiting = {publisher, outlet, target_of(publisher, outlet, shortage, bytes), false, 0};
    int result;
    if (flag_get(&outlet->suspended) || when_full == MMIPC_WHEN_FULL_DISCONNECT) {
        publisher_condemn(publisher, outlet, MMIPC_REASON_FULL);
        return 0;
    }
    if (when_full == MMIPC_WHEN_FULL_FAIL)
        return -EAGAIN;
    if (thread_is_callback_thread)
        return -EDEADLK;
    waiting.deadline_ns = deadline_of(patience);
    if (shortage != SHORT_OF_MAIL && outlet->ring.seen != outlet->ring.head)
        return wait_outside(&waiting);
    /* It has read all, and what is missing others have (max_total_bytes), or a descriptor cannot be sent: no event
     * tells when that ends. Look again now and then. */
    waiting.target = UINT64_MAX;
    waiting.deadline_ns = os_now_ns() + MAIL_RETRY_NS;
    result = wait_outside(&waiting);
    return result == -ETIMEDOUT && (deadline_of(patience) < 0 || os_now_ns() < deadline_of(patience)) ? 0 : result;
}

static int make_room(struct patience *patience, struct outlet *outlet, enum shortage shortage, const struct need *need)
{
    struct mmipc_publisher *publisher = patience->publisher;
    int error;
    if (shortage != SHORT_OF_RING)
        return apply_policy(patience, outlet, shortage, need->charge);
    if (outlet->ring.size >= COMFORTABLE_BYTES && patience->tried != outlet && may_wait(publisher) &&
        !flag_get(&outlet->suspended))
        return wait_a_moment(patience, outlet, target_of(publisher, outlet, shortage, need->bytes),
                             2 * outlet->ring.size);
    error = chain_extend(publisher, outlet, need->bytes);
    if (error == 0)
        return 0;
    if (error == -EPROTO || error == -EPIPE || error == -ECONNRESET) {
        publisher_condemn(publisher, outlet, error == -EPROTO ? MMIPC_REASON_PROTOCOL : MMIPC_REASON_DIED);
        return 0;
    }
    return apply_policy(patience, outlet, shortage, need->bytes);
}

static enum shortage shortage_of(struct mmipc_publisher *publisher, struct outlet *outlet, const struct need *need)
{
    int result = ring_room(&outlet->ring, need->bytes);
    if (result == 0)
        return SHORT_OF_RING;
    if (result > 0 && need->block != NULL)
        result = chain_may_owe(publisher, outlet, need->charge);
    if (result == -ENOBUFS)
        return SHORT_OF_BACKLOG;
    if (result < 0)
        publisher_condemn(publisher, outlet, MMIPC_REASON_PROTOCOL);
    return SHORT_OF_NOTHING;
}

static enum shortage shortage_of_mail(struct mmipc_publisher *publisher, struct outlet *outlet, const struct need *need)
{
    int result = need->block == NULL ? 0 : chain_prepare_reference(outlet, need->block);
    if (result == 0)
        return SHORT_OF_NOTHING;
    if (result != -EPIPE && result != -ECONNRESET)
        return SHORT_OF_MAIL;
    publisher_condemn(publisher, outlet, MMIPC_REASON_DIED);
    return SHORT_OF_NOTHING;
}

/* The first outlet without room, NULL if all have. */
static struct outlet *first_short(struct mmipc_publisher *publisher, const struct need *need, enum shortage *shortage)
{
    for (size_t i = 0; i < publisher->outlet_count; ++i) {
        struct outlet *outlet = publisher->outlets[i];
        if (!flag_get(&outlet->gone) && (*shortage = shortage_of(publisher, outlet, need)) != SHORT_OF_NOTHING)
            return outlet;
    }
    for (size_t i = 0; i < publisher->outlet_count; ++i) { /* only now: what is sent cannot be taken back */
        struct outlet *outlet = publisher->outlets[i];
        if (!flag_get(&outlet->gone) && (*shortage = shortage_of_mail(publisher, outlet, need)) != SHORT_OF_NOTHING)
            return outlet;
    }
    return NULL;
}

/* Inside the gate: 0 when every outlet that is not gone has room, all at the same time. */
int room_reserve(struct mmipc_publisher *publisher, const struct need *need)
{
    struct patience patience = {.publisher = publisher};
    int result = 0;
    while (result == 0) {
        enum shortage shortage;
        struct outlet *outlet;
        if (flag_get(&publisher->endpoint.closing))
            return -ESHUTDOWN;
        outlet = first_short(publisher, need, &shortage);
        if (outlet == NULL)
            return 0;
        result = make_room(&patience, outlet, shortage, need); /* the list may have changed: look at all again */
        if (result == -ETIMEDOUT && first_short(publisher, need, &shortage) == NULL)
            return 0;
    }
    return result;
}

/* Takes back what was read; returns who owes most, NULL if nobody does. */
static struct outlet *greatest_debtor(struct mmipc_publisher *publisher)
{
    struct outlet *greatest = NULL;
    for (size_t i = 0; i < publisher->outlet_count; ++i) {
        struct outlet *outlet = publisher->outlets[i];
        if (flag_get(&outlet->gone))
            continue;
        if (outlet->debt_count > 0 && chain_look(publisher, outlet) != 0)
            publisher_condemn(publisher, outlet, MMIPC_REASON_PROTOCOL);
        else if (outlet->debt_count > 0 && (greatest == NULL || outlet->owed > greatest->owed))
            greatest = outlet;
    }
    return greatest;
}

/* Does a pair that was dropped still hold payload? Then to drop another would free nothing either, for now. */
static bool anything_retired(const struct mmipc_publisher *publisher)
{
    for (size_t i = 0; i < publisher->outlet_count; ++i)
        if (flag_get(&publisher->outlets[i]->gone) && publisher->outlets[i]->debt_count > 0)
            return true;
    return publisher->retired > 0;
}

static struct outlet *anyone(struct mmipc_publisher *publisher)
{
    for (size_t i = 0; i < publisher->outlet_count; ++i)
        if (!flag_get(&publisher->outlets[i]->gone))
            return publisher->outlets[i];
    return NULL;
}

/* All memory is used up, by whomever. 0: look again. */
static int wait_for_memory(struct patience *patience, struct outlet *debtor, int error)
{
    struct mmipc_publisher *publisher = patience->publisher;
    const int when_full = publisher->endpoint.options.when_full;
    const bool retired = anything_retired(publisher);
    struct waiting waiting = {publisher, debtor != NULL ? debtor : anyone(publisher), UINT64_MAX, true,
                              os_now_ns() + MAIL_RETRY_NS};
    int result;
    if (waiting.outlet == NULL || (debtor == NULL && !retired)) /* nobody to wait for: loans, or rings */
        return error;
    if (when_full == MMIPC_WHEN_FULL_FAIL)
        return -EAGAIN;
    if (!retired && !patience->dropped && (when_full == MMIPC_WHEN_FULL_DISCONNECT || flag_get(&debtor->suspended))) {
        patience->dropped = true;
        publisher_condemn(publisher, debtor, MMIPC_REASON_FULL);
        return 0;
    }
    if (when_full == MMIPC_WHEN_FULL_DISCONNECT)
        return error;
    if (thread_is_callback_thread)
        return -EDEADLK;
    result = wait_outside(&waiting); /* what frees it, no single event tells: look again now and then */
    return result == -ETIMEDOUT && (deadline_of(patience) < 0 || os_now_ns() < deadline_of(patience)) ? 0 : result;
}

/* Leaves the gate while the memory is made, which takes a quarter of a second a GiB. */
static int grow(struct mmipc_publisher *publisher, size_t bytes)
{
    const size_t rings = publisher->ring_bytes;
    const size_t limit = publisher->max_total > rings ? publisher->max_total - rings : 0;
    struct payload_file *file;
    int result = pool_begin_file(&publisher->pool, bytes, limit, &file);
    if (result == -ENOSPC) { /* blocks of other sizes may be in the way */
        chain_trim(publisher);
        result = pool_begin_file(&publisher->pool, bytes, limit, &file);
    }
    if (result != 0)
        return result == -ENOSPC ? -ENOMEM : result;
    endpoint_enter(&publisher->endpoint);
    gate_leave(&publisher->gate);
    result = pool_make_file(file);
    gate_enter(&publisher->gate);
    endpoint_leave(&publisher->endpoint); /* the gate still keeps the publisher from being freed */
    pool_end_file(&publisher->pool, file, result == 0);
    return result;
}

/* There is no free block. 0: look again. */
static int make_block(struct patience *patience, struct outlet *debtor, size_t bytes)
{
    struct mmipc_publisher *publisher = patience->publisher;
    int result;
    if (debtor != NULL && publisher->pool.bytes >= COMFORTABLE_BYTES && patience->tried == NULL &&
        may_wait(publisher) && !flag_get(&debtor->suspended))
        return wait_a_moment(patience, debtor, target_of(publisher, debtor, SHORT_OF_BACKLOG, 1),
                             pool_block_bytes(bytes));
    result = grow(publisher, bytes);
    flag_set(&publisher->swollen, 1);
    return result == 0 ? 0 : wait_for_memory(patience, greatest_debtor(publisher), result);
}

int room_take_block(struct mmipc_publisher *publisher, size_t bytes, struct block **out)
{
    struct patience patience = {.publisher = publisher};
    int result = 0;
    while (result == 0) {
        struct outlet *debtor;
        if (flag_get(&publisher->endpoint.closing))
            return -ESHUTDOWN;
        debtor = greatest_debtor(publisher);
        *out = pool_take(&publisher->pool, bytes);
        if (*out != NULL)
            return 0;
        result = make_block(&patience, debtor, bytes);
    }
    return result;
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
        int result = timeout_ms == 0 ? -ETIMEDOUT : thread_is_callback_thread ? -EDEADLK : wait_outside(&waiting);
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
        marks[i] = (struct mark){publisher->outlets[i], chain_messages_end(publisher->outlets[i])};
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
