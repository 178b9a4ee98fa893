/* Closing: whom it wakes, what it waits for, what it leaves. */
#include "cases.h"

#include "actor.h"
#include "inside.h"
#include "receiver.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What close must not wait for would not end before this; a starved machine is in time. */
enum { NO_EVENT_MS = 60000, AT_ONCE_MS = 10000 };

static mmipc_publisher *publisher_without_ticks(const char *directory)
{
    mmipc_publisher *publisher;
    mmipc_options options;
    mmipc_options_init(&options, sizeof options);
    options.ping_interval_ms = NO_EVENT_MS;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, &options), 0);
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
    return publisher;
}

static void *publish_until_error(void *argument)
{
    static char data[16000];
    intptr_t result = 0;
    while (result == 0)
        result = mmipc_publish(argument, data, sizeof data);
    return (void *)result;
}

static void *wait_for_two(void *argument)
{
    return (void *)(intptr_t)mmipc_publisher_wait_connected(argument, 2, -1);
}

static void close_wakes_everyone(void **state)
{
    char *directory = test_directory();
    struct actor to = actor_start("subscriber", "c", directory, "");
    mmipc_publisher *publisher;
    pthread_t blocked[2], waiting;
    void *result;
    int64_t start;
    (void)state;
    assert_int_equal(actor_ask(&to, "hold 1"), 0);
    publisher = publisher_without_ticks(directory);
    assert_int_equal(pthread_create(&waiting, NULL, wait_for_two, publisher), 0);
    for (int i = 0; i < 2; ++i)
        assert_int_equal(pthread_create(&blocked[i], NULL, publish_until_error, publisher), 0);
    while (callers_inside(publisher) < 3)
        sched_yield();
    start = now_ms();
    mmipc_publisher_close(publisher);
    assert_true(now_ms() - start < AT_ONCE_MS);
    pthread_join(waiting, &result);
    assert_int_equal((intptr_t)result, -ESHUTDOWN);
    for (int i = 0; i < 2; ++i) {
        pthread_join(blocked[i], &result);
        assert_int_equal((intptr_t)result, -ESHUTDOWN);
    }
    actor_end(&to);
    test_directory_remove(directory);
}

struct counting {
    mmipc_publisher *publisher;
    long published;
};

static void *publish_and_count(void *argument)
{
    struct counting *counting = argument;
    static char data[200000];
    uint64_t i = 0;
    for (;; ++i) {
        memcpy(data, &i, sizeof i);
        if (mmipc_publish(counting->publisher, data, sizeof data) != 0)
            break;
    }
    counting->published = (long)i;
    return NULL;
}

/* What publish said is published arrives, though the publisher was closed in the middle of the stream. */
static void close_loses_nothing_that_was_published(void **state)
{
    (void)state;
    for (int i = 0; i < 20; ++i) {
        char *directory = test_directory();
        struct actor to = actor_start("subscriber", "c", directory, "");
        struct counting counting;
        pthread_t thread;
        assert_int_equal(mmipc_publisher_open(&counting.publisher, "c", directory, NULL), 0);
        assert_int_equal(mmipc_publisher_wait_connected(counting.publisher, 1, 10000), 0);
        assert_int_equal(pthread_create(&thread, NULL, publish_and_count, &counting), 0);
        assert_true(actor_ask(&to, "expect %d", 10 + i) >= 10 + i);
        mmipc_publisher_close(counting.publisher);
        pthread_join(thread, NULL);
        assert_int_equal(actor_ask(&to, "expect %ld", counting.published), counting.published);
        actor_end(&to);
        assert_int_equal(test_directory_remove(directory), 0);
    }
}

/* Whichever of the two it is: it waits for nothing that the other would have to do. */
static void closes_beside_a_stopped_peer(void **state)
{
    (void)state;
    for (int publishes = 0; publishes < 2; ++publishes) {
        char *directory = test_directory();
        struct actor other = actor_start(publishes ? "subscriber" : "publisher", "c", directory, "ping=60000");
        struct receiver receiver = RECEIVER_INIT;
        mmipc_publisher *publisher = NULL;
        mmipc_subscriber *subscriber = NULL;
        int64_t start;
        if (publishes) {
            publisher = publisher_without_ticks(directory);
        } else {
            assert_int_equal(mmipc_subscriber_open(&subscriber, "c", directory, receiver_message, &receiver, NULL), 0);
            assert_int_equal(mmipc_subscriber_wait_connected(subscriber, 1, 10000), 0);
            assert_int_equal(actor_ask(&other, "publish 0 100 30000"), 0);
            RECEIVER_WAIT(&receiver, count, 100);
        }
        actor_stop(&other);
        start = now_ms();
        mmipc_publisher_close(publisher);
        mmipc_subscriber_close(subscriber);
        assert_true(now_ms() - start < AT_ONCE_MS);
        actor_continue(&other);
        assert_int_equal(actor_ask(&other, "disconnected 10000"), 0);
        actor_end(&other);
        assert_int_equal(test_directory_remove(directory), 0);
    }
}

struct self_closing {
    struct receiver receiver;
    mmipc_subscriber *subscriber;
};

static void close_itself(void *user, const mmipc_part *parts, size_t count)
{
    struct self_closing *self = user;
    pthread_mutex_lock(&self->receiver.lock); /* until open has returned */
    pthread_mutex_unlock(&self->receiver.lock);
    mmipc_subscriber_close(self->subscriber);
    receiver_message(&self->receiver, parts, count);
}

static int threads(void)
{
    return cases_count_entries("/proc/self/task");
}

static void closes_inside_its_handler(void **state)
{
    char *directory = test_directory();
    struct self_closing self = {.receiver = RECEIVER_INIT};
    mmipc_options options;
    struct actor from;
    const int before = threads();
    (void)state;
    mmipc_options_init(&options, sizeof options);
    options.on_peer = receiver_peer;
    options.user = &self.receiver;
    pthread_mutex_lock(&self.receiver.lock);
    assert_int_equal(mmipc_subscriber_open(&self.subscriber, "c", directory, close_itself, &self, &options), 0);
    pthread_mutex_unlock(&self.receiver.lock);
    from = actor_start("publisher", "c", directory, "");
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    assert_int_equal(actor_ask(&from, "publish 0 3 8"), 0);
    RECEIVER_WAIT(&self.receiver, count, 1);
    assert_int_equal(actor_ask(&from, "disconnected 10000"), 0);
    while (threads() > before) /* the handler's thread does the rest; the case's time-out bounds this */
        sched_yield();
    assert_int_equal(self.receiver.count, 1);
    actor_end(&from);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void close_from_on_peer(void *user, int event, int pid, int reason)
{
    struct self_closing *self = user;
    if (event != MMIPC_PEER_CONNECTED)
        return;
    pthread_mutex_lock(&self->receiver.lock);
    pthread_mutex_unlock(&self->receiver.lock);
    mmipc_subscriber_close(self->subscriber);
    receiver_peer(&self->receiver, event, pid, reason);
}

static void closes_inside_on_peer(void **state)
{
    char *directory = test_directory();
    struct self_closing self = {.receiver = RECEIVER_INIT};
    mmipc_options options;
    struct actor from;
    const int before = threads();
    (void)state;
    mmipc_options_init(&options, sizeof options);
    options.on_peer = close_from_on_peer;
    options.user = &self;
    pthread_mutex_lock(&self.receiver.lock);
    assert_int_equal(mmipc_subscriber_open(&self.subscriber, "c", directory, receiver_message, &self, &options), 0);
    pthread_mutex_unlock(&self.receiver.lock);
    from = actor_start("publisher", "c", directory, "");
    RECEIVER_WAIT(&self.receiver, event_count, 1);
    assert_int_equal(actor_ask(&from, "disconnected 10000"), 0);
    while (threads() > before)
        sched_yield();
    actor_end(&from);
    assert_int_equal(test_directory_remove(directory), 0);
}

struct crossing {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    mmipc_subscriber *subscriber;
    bool closed;
    int peer_calls;
};

static void wait_for_close(void *user, int event, int pid, int reason)
{
    struct crossing *crossing = user;
    (void)event;
    (void)pid;
    (void)reason;
    pthread_mutex_lock(&crossing->lock);
    crossing->peer_calls++;
    pthread_cond_broadcast(&crossing->changed);
    while (!crossing->closed)
        pthread_cond_wait(&crossing->changed, &crossing->lock);
    pthread_mutex_unlock(&crossing->lock);
}

static void close_while_on_peer_waits(void *user, const mmipc_part *parts, size_t count)
{
    struct crossing *crossing = user;
    (void)parts;
    (void)count;
    pthread_mutex_lock(&crossing->lock);
    while (crossing->subscriber == NULL || crossing->peer_calls == 0)
        pthread_cond_wait(&crossing->changed, &crossing->lock);
    mmipc_subscriber_close(crossing->subscriber); /* with the lock: on_peer cannot return before we do */
    crossing->closed = true;
    pthread_cond_broadcast(&crossing->changed);
    pthread_mutex_unlock(&crossing->lock);
}

static void closes_inside_its_handler_beside_on_peer(void **state)
{
    char *directory = test_directory();
    struct crossing crossing = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    mmipc_options options;
    mmipc_subscriber *subscriber;
    struct actor from;
    const int before = threads();
    (void)state;
    mmipc_options_init(&options, sizeof options);
    options.on_peer = wait_for_close;
    options.user = &crossing;
    assert_int_equal(mmipc_subscriber_open(&subscriber, "c", directory, close_while_on_peer_waits, &crossing, &options),
                     0);
    pthread_mutex_lock(&crossing.lock);
    crossing.subscriber = subscriber;
    pthread_cond_broadcast(&crossing.changed);
    pthread_mutex_unlock(&crossing.lock);
    from = actor_start("publisher", "c", directory, "");
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    assert_int_equal(actor_ask(&from, "publish 0 3 8"), 0);
    assert_int_equal(actor_ask(&from, "disconnected 10000"), 0);
    while (threads() > before) /* the handler's thread does the rest; the case's time-out bounds this */
        sched_yield();
    pthread_mutex_lock(&crossing.lock);
    assert_int_equal(crossing.peer_calls, 1); /* the disconnection was muted */
    pthread_mutex_unlock(&crossing.lock);
    actor_end(&from);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void opens_and_closes_leave_nothing(void **state)
{
    char *directory = test_directory();
    struct actor to = actor_start("subscriber", "c", directory, "");
    (void)state;
    for (int i = 0; i < 100; ++i) { /* the census after the case counts */
        mmipc_publisher *publisher;
        assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, NULL), 0);
        if (i % 2 == 0)
            assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
        mmipc_publisher_close(publisher);
    }
    actor_end(&to);
    assert_int_equal(test_directory_remove(directory), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {CASE(close_wakes_everyone),
                                       CASE(close_loses_nothing_that_was_published),
                                       CASE(closes_beside_a_stopped_peer),
                                       CASE(closes_inside_its_handler),
                                       CASE(closes_inside_its_handler_beside_on_peer),
                                       CASE(closes_inside_on_peer),
                                       CASE(opens_and_closes_leave_nothing)};
    actor_main(argc, argv);
    return cases_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
