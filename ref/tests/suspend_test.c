/* Peers that stand still for a while, and peers that only seem to. */
#include "cases.h"

#include "actor.h"
#include "receiver.h"
#include "subscriber.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static mmipc_options options_with(struct receiver *receiver, uint32_t ping_ms)
{
    mmipc_options options;
    mmipc_options_init(&options, sizeof options);
    options.ping_interval_ms = ping_ms;
    options.on_peer = receiver_peer;
    options.on_log = receiver_log;
    options.user = receiver;
    return options;
}

static mmipc_publisher *publisher(const char *channel, const char *directory, struct receiver *receiver,
                                  uint32_t ping_ms, int when_full)
{
    mmipc_options options = options_with(receiver, ping_ms);
    mmipc_publisher *out;
    options.when_full = when_full;
    options.segment_bytes = options.max_backlog_bytes = 256 << 10;
    assert_int_equal(mmipc_publisher_open(&out, channel, directory, &options), 0);
    return out;
}

static void publish(mmipc_publisher *from, uint64_t first, uint64_t count, size_t size)
{
    static char data[65536];
    for (uint64_t i = first; i < first + count; ++i) {
        memcpy(data, &i, sizeof i);
        assert_int_equal(mmipc_publish(from, data, size), 0);
    }
}

/* From its first event on: suspended and resumed in turns, as often as may be, from the second to the last but
 * `others`. */
static void check_turns(const struct receiver *receiver, int others)
{
    assert_int_equal(receiver->events[0], MMIPC_PEER_CONNECTED);
    for (int i = 1; i < receiver->event_count - others;
         ++i) { /* on a starved machine it may have been silent more than once */
        assert_int_equal(receiver->events[i], i % 2 == 1 ? MMIPC_PEER_SUSPENDED : MMIPC_PEER_RESUMED);
        assert_int_equal(receiver->reasons[i], i % 2 == 1 ? MMIPC_REASON_SILENT : MMIPC_REASON_NONE);
    }
}

static int reason_of_disconnection(struct receiver *receiver)
{
    int reason = -1;
    pthread_mutex_lock(&receiver->lock);
    for (int i = 0; i < receiver->event_count && reason < 0; ++i)
        if (receiver->events[i] == MMIPC_PEER_DISCONNECTED)
            reason = receiver->reasons[i];
    pthread_mutex_unlock(&receiver->lock);
    return reason;
}

static void stopped_publisher_is_suspended(void **state)
{
    char *directory = test_directory();
    struct receiver receiver = RECEIVER_INIT;
    mmipc_options options = options_with(&receiver, 100);
    mmipc_subscriber *to;
    struct actor from;
    (void)state;
    assert_int_equal(mmipc_subscriber_open(&to, "c", directory, receiver_message, &receiver, &options), 0);
    from = actor_start("publisher", "c", directory, "ping=100");
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    receiver_hold(&receiver, true);
    assert_int_equal(actor_ask(&from, "publish 0 100 64"), 0);
    RECEIVER_WAIT(&receiver, in_handler, true); /* paired on our side, too */
    actor_stop(&from);
    assert_int_equal(mmipc_subscriber_wait_disconnected(to, 10000), 0);
    receiver_hold(&receiver, false);
    RECEIVER_WAIT(&receiver, count, 100); /* what it published before */
    actor_continue(&from);
    assert_int_equal(mmipc_subscriber_wait_connected(to, 1, 10000), 0);
    assert_int_equal(actor_ask(&from, "publish 100 100 64"), 0);
    RECEIVER_WAIT(&receiver, count, 200);
    assert_int_equal(receiver.out_of_order, 0);
    actor_end(&from);
    assert_int_equal(mmipc_subscriber_wait_disconnected(to, 10000), 0);
    mmipc_subscriber_close(to);
    check_turns(&receiver, 1);
    assert_int_equal(test_directory_remove(directory), 0);
}

/* A backlog that fills three quarters of what there may be, whoever looks at the pair meanwhile. */
static void suspended_subscriber_loses_nothing(void **state)
{
    char *directory = test_directory();
    struct receiver receiver = RECEIVER_INIT;
    mmipc_publisher *from = publisher("c", directory, &receiver, 100, MMIPC_WHEN_FULL_BLOCK);
    struct actor to = actor_start("subscriber", "c", directory, "ping=100"), other;
    (void)state;
    assert_int_equal(mmipc_publisher_wait_connected(from, 1, 10000), 0);
    actor_stop(&to);
    assert_int_equal(mmipc_publisher_wait_disconnected(from, 10000), 0);
    publish(from, 0, 96, 2000);
    other = actor_start("subscriber", "c", directory, "ping=100"); /* comes and goes beside it */
    assert_int_equal(mmipc_publisher_wait_connected(from, 1, 10000), 0);
    actor_end(&other);
    assert_int_equal(mmipc_publisher_wait_disconnected(from, 10000), 0);
    assert_int_equal(mmipc_publisher_flush(from, 20), -ETIMEDOUT); /* it has not read, and may yet */
    actor_continue(&to);
    assert_int_equal(mmipc_publisher_flush(from, 10000), 0);
    assert_int_equal(actor_ask(&to, "expect 96"), 96);
    assert_int_equal(mmipc_publisher_wait_connected(from, 1, 10000), 0);
    publish(from, 96, 96, 2000);
    assert_int_equal(actor_ask(&to, "expect 192"), 192);
    mmipc_publisher_close(from);
    actor_end(&to);
    assert_int_equal(test_directory_remove(directory), 0);
}

/* Whatever is to be done with full ones: the suspended is dropped, and the other misses nothing. */
static void suspended_and_full_holds_up_nobody(void **state)
{
    static const int policies[] = {MMIPC_WHEN_FULL_BLOCK, MMIPC_WHEN_FULL_FAIL, MMIPC_WHEN_FULL_DISCONNECT};
    (void)state;
    for (int i = 0; i < 3; ++i) {
        char *directory = test_directory();
        struct receiver receiver = RECEIVER_INIT;
        mmipc_publisher *from = publisher("c", directory, &receiver, 100, policies[i]);
        struct actor to = actor_start("subscriber", "c", directory, "ping=100"), other;
        assert_int_equal(mmipc_publisher_wait_connected(from, 1, 10000), 0);
        actor_stop(&to);
        assert_int_equal(mmipc_publisher_wait_disconnected(from, 10000), 0);
        other = actor_start("subscriber", "c", directory, "ping=100");
        assert_int_equal(mmipc_publisher_wait_connected(from, 1, 10000), 0);
        for (uint64_t message = 0; message < 60; ++message) { /* twice the backlog; the other keeps up */
            publish(from, message, 1, 10000);
            assert_int_equal(actor_ask(&other, "expect %d", (int)message + 1), (long)message + 1);
        }
        RECEIVER_WAIT(&receiver, last_event, MMIPC_PEER_DISCONNECTED);
        assert_int_equal(reason_of_disconnection(&receiver), MMIPC_REASON_FULL);
        actor_continue(&to);
        assert_int_equal(mmipc_publisher_wait_connected(from, 2, 10000), 0); /* it lives: a new pair */
        mmipc_publisher_close(from);
        actor_end(&to);
        actor_end(&other);
        assert_int_equal(test_directory_remove(directory), 0);
    }
}

/* Only peers of different intervals meet, and the longer one counts on both sides. */
static void intervals_may_differ(void **state)
{
    char *directory = test_directory();
    struct receiver quick = RECEIVER_INIT, slow = RECEIVER_INIT;
    mmipc_publisher *quick_one = publisher("a", directory, &quick, 50, MMIPC_WHEN_FULL_BLOCK);
    mmipc_publisher *slow_one = publisher("b", directory, &slow, 2000, MMIPC_WHEN_FULL_BLOCK);
    struct actor slow_peer = actor_start("subscriber", "a", directory, "ping=2000");
    struct actor quick_peer = actor_start("subscriber", "b", directory, "ping=50");
    (void)state;
    assert_int_equal(mmipc_publisher_wait_connected(quick_one, 1, 10000), 0);
    assert_int_equal(mmipc_publisher_wait_connected(slow_one, 1, 10000), 0);
    assert_int_equal(actor_ask(&slow_peer, "connected 1 10000"), 0); /* it counts a moment after the publisher */
    assert_int_equal(actor_ask(&quick_peer, "connected 1 10000"), 0);
    assert_int_equal(actor_ask(&slow_peer, "disconnected 1000"), -ETIMEDOUT); /* twenty of the short intervals */
    assert_int_equal(actor_ask(&quick_peer, "disconnected 0"), -ETIMEDOUT);
    assert_int_equal(mmipc_publisher_connections(quick_one), 1);
    assert_int_equal(mmipc_publisher_connections(slow_one), 1);
    mmipc_publisher_close(quick_one);
    mmipc_publisher_close(slow_one);
    assert_int_equal(quick.event_count, 2); /* connected, and closed by us */
    assert_int_equal(slow.event_count, 2);
    actor_end(&quick_peer);
    actor_end(&slow_peer);
    assert_int_equal(test_directory_remove(directory), 0);
}

/* Until its control thread has told its one peer ten times that it lives; `from` is that peer. */
static void await_ten_heartbeats(mmipc_subscriber *to, const struct actor *from)
{
    const shared_u64 *heartbeat = &((struct inlet *)(void *)to->endpoint.peers)->ours->heartbeat;
    const uint64_t first = shared_load_relaxed(heartbeat); /* relaxed: carries nothing */
    const time_t deadline = time(NULL) + 20;
    while (shared_load_relaxed(heartbeat) < first + 10) {
        actor_ask(from, "disconnected 60"); /* for one of them; on a starved machine it may seem silent */
        assert_true(time(NULL) < deadline);
    }
}

/* Handlers of messages and of events that run for ten intervals: it is not they who keep the heartbeat. */
static void long_handlers_are_not_silence(void **state)
{
    char *directory = test_directory();
    struct receiver receiver = RECEIVER_INIT;
    mmipc_options options = options_with(&receiver, 60);
    mmipc_subscriber *to;
    struct actor from;
    (void)state;
    assert_int_equal(mmipc_subscriber_open(&to, "c", directory, receiver_message, &receiver, &options), 0);
    from = actor_start("publisher", "c", directory, "ping=60");
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    assert_int_equal(mmipc_subscriber_wait_connected(to, 1, 10000), 0);
    receiver_hold(&receiver, true);
    assert_int_equal(actor_ask(&from, "publish 0 10 64"), 0);
    RECEIVER_WAIT(&receiver, in_handler, true);
    pthread_mutex_lock(&receiver.lock); /* on_peer waits for this one, too */
    await_ten_heartbeats(to, &from);
    pthread_mutex_unlock(&receiver.lock);
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0); /* while the handler lasts */
    assert_int_equal(mmipc_subscriber_wait_connected(to, 1, 10000), 0);
    receiver_hold(&receiver, false);
    RECEIVER_WAIT(&receiver, count, 10);
    actor_end(&from);
    mmipc_subscriber_close(to);
    assert_int_equal(test_directory_remove(directory), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {CASE(stopped_publisher_is_suspended), CASE(suspended_subscriber_loses_nothing),
                                       CASE(suspended_and_full_holds_up_nobody), CASE(intervals_may_differ),
                                       CASE(long_handlers_are_not_silence)};
    actor_main(argc, argv);
    return cases_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
