/* Callback mode: the thread that takes messages from all inlets in turn and hands them to on_message. */
#include "os/os.h"
#include "subscriber.h"
#include "thread.h"

#include <errno.h>
#include <stdlib.h>

enum {
    MESSAGES_A_ROUND = 64, /* from one inlet before the next has its turn */
    PAUSES_A_MESSAGE = 4,
    PARTS_AT_FIRST = 8,
    SLEEPS_A_CLEARING = 64 /* a publisher's wake-ups, one a sleep: hundreds fit */
};

static mmipc_part *parts_for(struct mmipc_subscriber *subscriber, size_t count)
{
    if (subscriber->parts == NULL || count > subscriber->parts_capacity) {
        const size_t capacity = count < PARTS_AT_FIRST ? PARTS_AT_FIRST : count;
        mmipc_part *grown = realloc(subscriber->parts, capacity * sizeof *grown);
        if (grown == NULL)
            return NULL;
        subscriber->parts = grown;
        subscriber->parts_capacity = capacity;
    }
    return subscriber->parts;
}

/* Freeing is told in batches: each telling costs the publisher a cache miss when it looks. What lies outside the ring
 * is told at once. */
static void free_when_due(struct inlet *inlet, bool at_once)
{
    if (inlet->ring.position - inlet->freed >= inlet->ring.size / 8 || at_once || !ring_ready(&inlet->ring))
        inlet_free_to(inlet, inlet->ring.position);
}

static inline void call(struct mmipc_subscriber *subscriber, const mmipc_part *parts, size_t count, uint64_t bytes)
{
    const unsigned forks = thread_before_call();
    tally_add(&subscriber->endpoint.tally, bytes);
    subscriber->on_message(subscriber->user, parts, count);
    thread_after_call(forks);
}

/* A message of any kind. False: there is none, or none that can be read. */
static bool deliver_any(struct mmipc_subscriber *subscriber, struct inlet *inlet)
{
    struct ring_record record;
    mmipc_part *parts;
    int got = inlet_take(inlet, &record);
    if (got == 0)
        return false;
    parts = got < 0 ? NULL : parts_for(subscriber, record.count);
    if (got > 0)
        got = parts == NULL ? -ENOMEM : message_parts(record.body, record.size, parts, record.count);
    if (got < 0) {
        inlet_condemn(subscriber, inlet, got);
        return false;
    }
    call(subscriber, parts, record.count, record.size);
    free_when_due(inlet, record.kind == RECORD_SHARED);
    return true;
}

/* How many messages were delivered. */
static int serve(struct mmipc_subscriber *subscriber, struct inlet *inlet)
{
    int delivered = 0;
    if (inlet->condemned)
        return 0;
    while (delivered < MESSAGES_A_ROUND && ring_ready(&inlet->ring) && !flag_get(&subscriber->endpoint.closing)) {
        mmipc_part part;
        if (ring_take_plain(&inlet->ring, &part)) {
            call(subscriber, &part, 1, part.size);
            free_when_due(inlet, false);
        } else if (!deliver_any(subscriber, inlet)) {
            break;
        }
        ++delivered;
    }
    return delivered;
}

/* A stream was caught up with. To look at once for the next record would take the very cache line that the publisher is
 * writing, again and again, and halve the throughput of small messages (13 against 28 million a second of 64
 * bytes where the pause was always 100; in one run, medians of 16). So let it get ahead, in proportion to what it got
 * ahead last time; single messages are not held up. */
static void let_publisher_get_ahead(int delivered)
{
    for (int i = 0; i < PAUSES_A_MESSAGE * delivered; ++i)
        pause_polling();
}

/* Edge-triggered: a wake-up is a wake-up, no need to read. */
static void sleep_until_woken(struct mmipc_subscriber *subscriber)
{
    const int64_t settled_ns = os_now_ns() + OS_SETTLED_NS;
    void *ready[1];
    if (os_poller_wait(subscriber->poller, ready, 1, settled_ns) == 0 && os_now_ns() >= settled_ns &&
        !receive_any_ready(subscriber))
        os_poller_wait(subscriber->poller, ready, 1, -1);
}

static void wait_for_more(struct mmipc_subscriber *subscriber)
{
    const int64_t start_ns = os_now_ns();
    if (receive_poll(subscriber, start_ns, -1))
        return;
    if (subscriber->naps % (UINT64_C(2) * SLEEPS_A_CLEARING) == 0)
        receive_clear(subscriber);
    receive_announce(subscriber);
    if (!receive_any_ready(subscriber) && !flag_get(&subscriber->endpoint.closing))
        sleep_until_woken(subscriber);
    receive_awake(subscriber);
    spin_learn(&subscriber->spin, os_now_ns() - start_ns, false);
}

void *deliver_run(void *argument)
{
    struct mmipc_subscriber *subscriber = argument;
    thread_is_callback_thread = true;
    while (!flag_get(&subscriber->endpoint.closing)) {
        int delivered = 0;
        receive_adopt(subscriber);
        for (size_t i = 0; i < subscriber->inlet_count; ++i)
            delivered += serve(subscriber, subscriber->inlets[i]);
        if (delivered > 1 && delivered < MESSAGES_A_ROUND)
            let_publisher_get_ahead(delivered);
        if (delivered == 0 && !flag_get(&subscriber->endpoint.closing))
            wait_for_more(subscriber);
    }
    if (subscriber->finish_here) {
        pthread_detach(pthread_self());
        subscriber_finish(subscriber);
    }
    return NULL;
}
