/* Publishers and subscribers in processes of their own: delivery, connections, death. */
#include "cases.h"

#include "actor.h"
#include "os/os.h"
#include "receiver.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A control thread that is held before it learns what is ready, and then learns nothing. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool held;
} control = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

int __real_os_poller_wait(int poller, void **data, int capacity, int64_t deadline_ns); // NOLINT: the linker's names
int __wrap_os_poller_wait(int poller, void **data, int capacity, int64_t deadline_ns); // NOLINT

int __wrap_os_poller_wait(int poller, void **data, int capacity, int64_t deadline_ns) // NOLINT
{
    int ready = __real_os_poller_wait(poller, data, capacity, deadline_ns);
    pthread_mutex_lock(&control.lock);
    while (control.held) {
        ready = 0;
        pthread_cond_wait(&control.changed, &control.lock);
    }
    pthread_mutex_unlock(&control.lock);
    return ready;
}

static void control_hold(bool held)
{
    pthread_mutex_lock(&control.lock);
    control.held = held;
    pthread_cond_broadcast(&control.changed);
    pthread_mutex_unlock(&control.lock);
}

static mmipc_options options_with(struct receiver *receiver)
{
    mmipc_options options;
    mmipc_options_init(&options, sizeof options);
    options.on_peer = receiver_peer;
    options.on_log = receiver_log;
    options.user = receiver;
    return options;
}

static mmipc_subscriber *subscriber(const char *channel, const char *directory, struct receiver *receiver)
{
    mmipc_options options = options_with(receiver);
    mmipc_subscriber *out;
    assert_int_equal(mmipc_subscriber_open(&out, channel, directory, receiver_message, receiver, &options), 0);
    return out;
}

static void delivers_in_order(void **state)
{
    char *directory = test_directory();
    struct receiver receiver = RECEIVER_INIT;
    mmipc_subscriber *to = subscriber("c", directory, &receiver);
    struct actor from = actor_start("publisher", "c", directory, "");
    (void)state;
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    assert_int_equal(mmipc_subscriber_wait_connected(to, 1, 10000), 0);
    assert_int_equal(actor_ask(&from, "publish 0 200000 64"), 0);
    assert_int_equal(actor_ask(&from, "publish 200000 20 1048576"), 0);
    RECEIVER_WAIT(&receiver, count, 200020);
    assert_int_equal(receiver.out_of_order, 0);
    actor_end(&from);
    assert_int_equal(mmipc_subscriber_wait_disconnected(to, 10000), 0);
    mmipc_subscriber_close(to);
    assert_int_equal(receiver.count, 200020);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void many_to_many(void **state)
{
    enum { PUBLISHERS = 3, SUBSCRIBERS = 3, MESSAGES = 20000 };
    char *directory = test_directory();
    struct actor from[PUBLISHERS], to[SUBSCRIBERS];
    (void)state;
    for (int i = 0; i < SUBSCRIBERS; ++i)
        to[i] = actor_start("subscriber", "c", directory, "");
    for (int i = 0; i < PUBLISHERS; ++i) {
        from[i] = actor_start("publisher", "c", directory, "");
        assert_int_equal(actor_ask(&from[i], "connected %d 10000", SUBSCRIBERS), 0);
    }
    for (int i = 0; i < SUBSCRIBERS; ++i)
        assert_int_equal(actor_ask(&to[i], "connected %d 10000", PUBLISHERS), 0);
    for (int i = 0; i < PUBLISHERS; ++i) { /* one after the other, so that the subscribers can check one sequence */
        assert_int_equal(actor_ask(&from[i], "publish %d %d 100", i * MESSAGES, MESSAGES), 0);
        assert_int_equal(actor_ask(&from[i], "flush 10000"), 0);
    }
    for (int i = 0; i < SUBSCRIBERS; ++i) {
        assert_int_equal(actor_ask(&to[i], "expect %d", PUBLISHERS * MESSAGES), PUBLISHERS * MESSAGES);
        actor_end(&to[i]);
    }
    for (int i = 0; i < PUBLISHERS; ++i)
        actor_end(&from[i]);
    assert_int_equal(test_directory_remove(directory), 0);
}

struct parts_seen {
    struct receiver receiver;
    int wrong;
};

static void check_parts(void *user, const mmipc_part *parts, size_t count)
{
    struct parts_seen *seen = user;
    pthread_mutex_lock(&seen->receiver.lock);
    if (seen->receiver.count == 1)
        seen->wrong += count != 3 || parts[0].size != 5 || memcmp(parts[0].data, "first", 5) != 0 ||
                       parts[1].size != 0 || parts[2].size != 10 || memcmp(parts[2].data, "third part", 10) != 0;
    else if (seen->receiver.count == 0)
        seen->wrong += count != 0;
    else
        seen->wrong += count != 1 || parts[0].size != 0;
    seen->receiver.count++;
    pthread_cond_broadcast(&seen->receiver.changed);
    pthread_mutex_unlock(&seen->receiver.lock);
}

static void parts_are_kept(void **state)
{
    char *directory = test_directory();
    struct parts_seen seen = {.receiver = RECEIVER_INIT};
    mmipc_subscriber *to;
    struct actor from;
    (void)state;
    assert_int_equal(mmipc_subscriber_open(&to, "c", directory, check_parts, &seen, NULL), 0);
    from = actor_start("publisher", "c", directory, "");
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    assert_int_equal(actor_ask(&from, "parts"), 0);
    RECEIVER_WAIT(&seen.receiver, count, 3);
    assert_int_equal(seen.wrong, 0);
    actor_end(&from);
    mmipc_subscriber_close(to);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void killed_publisher_is_drained(void **state)
{
    char *directory = test_directory();
    struct receiver receiver = RECEIVER_INIT;
    mmipc_subscriber *to = subscriber("c", directory, &receiver);
    struct actor from = actor_start("publisher", "c", directory, "");
    (void)state;
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    receiver_hold(&receiver, true);
    actor_tell(&from, "die_after 0 5000 64");
    RECEIVER_WAIT(&receiver, event_count, 2); /* connected, disconnected: while the handler is still held */
    receiver_hold(&receiver, false);
    RECEIVER_WAIT(&receiver, count, 5000);
    actor_kill(&from);
    assert_int_equal(receiver.out_of_order, 0);
    assert_int_equal(receiver.events[1], MMIPC_PEER_DISCONNECTED);
    assert_int_equal(receiver.reasons[1], MMIPC_REASON_DIED);
    mmipc_subscriber_close(to);
    test_directory_remove(directory);
}

/* It closed, though it is a publish that finds it gone before the control thread hears of it. */
static void farewell_is_heard_before_the_hang_up(void **state)
{
    static const char large[1 << 20];
    char *directory = test_directory();
    struct receiver receiver = RECEIVER_INIT;
    mmipc_options options = options_with(&receiver);
    struct actor to = actor_start("subscriber", "c", directory, "");
    mmipc_publisher *from;
    (void)state;
    assert_int_equal(mmipc_publisher_open(&from, "c", directory, &options), 0);
    assert_int_equal(mmipc_publisher_wait_connected(from, 1, 10000), 0);
    control_hold(true);
    actor_end(&to);
    assert_int_equal(mmipc_publish(from, large, sizeof large), 0); /* needs its socket */
    control_hold(false);
    RECEIVER_WAIT(&receiver, event_count, 2);
    assert_int_equal(receiver.events[1], MMIPC_PEER_DISCONNECTED);
    assert_int_equal(receiver.reasons[1], MMIPC_REASON_CLOSED);
    mmipc_publisher_close(from);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void dead_leave_nothing(void **state)
{
    char *directory = test_directory();
    struct actor victims[2] = {actor_start("publisher", "c", directory, ""),
                               actor_start("subscriber", "c", directory, "")};
    struct receiver receiver = RECEIVER_INIT;
    mmipc_subscriber *survivor;
    (void)state;
    assert_int_equal(test_directory_entries(directory), 4);
    actor_kill(&victims[0]); /* the other may clean up after it at once, or not come to that */
    actor_kill(&victims[1]);
    assert_true(test_directory_entries(directory) >= 2);
    survivor = subscriber("c", directory, &receiver);
    victims[0] = actor_start("publisher", "c", directory, "");
    assert_int_equal(actor_ask(&victims[0], "connected 1 10000"), 0);
    actor_end(&victims[0]);
    mmipc_subscriber_close(survivor);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void counts_and_reasons(void **state)
{
    char *directory = test_directory();
    struct receiver receiver = RECEIVER_INIT;
    mmipc_options options = options_with(&receiver);
    mmipc_publisher *publisher;
    struct actor to[2];
    (void)state;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, &options), 0);
    assert_int_equal(mmipc_publisher_connections(publisher), 0);
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 0), -ETIMEDOUT);
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 20), -ETIMEDOUT);
    assert_int_equal(mmipc_publish(publisher, "x", 1), 0); /* to nobody */
    to[0] = actor_start("subscriber", "c", directory, "");
    to[1] = actor_start("subscriber", "c", directory, "");
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 2, 10000), 0);
    assert_int_equal(mmipc_publisher_connections(publisher), 2);
    assert_int_equal(actor_ask(&to[0], "connected 1 10000"), 0);
    assert_int_equal(actor_ask(&to[0], "connections"), 1);
    actor_end(&to[0]);
    RECEIVER_WAIT(&receiver, event_count, 3);
    assert_int_equal(receiver.reasons[2], MMIPC_REASON_CLOSED);
    actor_kill(&to[1]);
    assert_int_equal(mmipc_publisher_wait_disconnected(publisher, 10000), 0);
    RECEIVER_WAIT(&receiver, event_count, 4);
    assert_int_equal(receiver.reasons[3], MMIPC_REASON_DIED);
    mmipc_publisher_close(publisher);
    test_directory_remove(directory);
}

static void same_process_does_not_meet(void **state)
{
    char *directory = test_directory();
    struct receiver receiver = RECEIVER_INIT;
    mmipc_subscriber *own = subscriber("c", directory, &receiver);
    mmipc_publisher *publisher;
    struct actor other;
    (void)state;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, NULL), 0);
    other = actor_start("subscriber", "c", directory, "");
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 2, 50), -ETIMEDOUT);
    assert_int_equal(mmipc_subscriber_connections(own), 0);
    actor_end(&other);
    mmipc_publisher_close(publisher);
    mmipc_subscriber_close(own);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void stopped_peer_is_suspended(void **state)
{
    char *directory = test_directory();
    struct receiver receiver = RECEIVER_INIT;
    mmipc_options options = options_with(&receiver);
    mmipc_publisher *publisher;
    struct actor to;
    (void)state;
    options.ping_interval_ms = 150;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, &options), 0);
    to = actor_start("subscriber", "c", directory, "ping=60");
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
    actor_stop(&to);
    assert_int_equal(mmipc_publisher_wait_disconnected(publisher, 10000), 0);
    for (uint64_t i = 0; i < 1000; ++i)
        assert_int_equal(mmipc_publish(publisher, &i, sizeof i), 0);
    assert_int_equal(mmipc_publisher_connections(publisher), 0);
    actor_continue(&to);
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
    assert_int_equal(actor_ask(&to, "expect 1000"), 1000);
    RECEIVER_WAIT(&receiver, event_count, 3);
    mmipc_publisher_close(publisher);
    actor_end(&to);
    for (int i = 1; i < receiver.event_count && receiver.events[i] != MMIPC_PEER_DISCONNECTED;
         ++i) { /* on a starved machine it may have been silent before, too, and more often than is recorded */
        assert_int_equal(receiver.events[i], i % 2 == 1 ? MMIPC_PEER_SUSPENDED : MMIPC_PEER_RESUMED);
        assert_int_equal(receiver.reasons[i], i % 2 == 1 ? MMIPC_REASON_SILENT : MMIPC_REASON_NONE);
    }
    test_directory_remove(directory);
}

static void suspended_and_full_is_dropped(void **state)
{
    char *directory = test_directory();
    struct receiver receiver = RECEIVER_INIT;
    mmipc_options options = options_with(&receiver);
    static char data[16384];
    mmipc_publisher *publisher;
    struct actor to;
    (void)state;
    options.ping_interval_ms = 150;
    options.max_backlog_bytes = 64 << 10;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, &options), 0);
    to = actor_start("subscriber", "c", directory, "ping=150");
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
    actor_stop(&to);
    for (int i = 0; i < 20; ++i) /* fills the ring, waits until the silence is noticed, then for nobody */
        assert_int_equal(mmipc_publish(publisher, data, sizeof data), 0);
    RECEIVER_WAIT(&receiver, last_event, MMIPC_PEER_DISCONNECTED); /* the highest of all */
    assert_int_equal(receiver.reasons[receiver.event_count - 1], MMIPC_REASON_FULL);
    assert_int_equal(receiver.events[receiver.event_count - 2], MMIPC_PEER_SUSPENDED);
    actor_continue(&to);
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0); /* it lives: a new pair */
    actor_end(&to);
    mmipc_publisher_close(publisher);
    test_directory_remove(directory);
}

static void odd_names_and_long_paths(void **state)
{
    char *directory = test_directory(), path[1024], channel[256];
    struct receiver receiver = RECEIVER_INIT;
    mmipc_subscriber *to;
    struct actor from;
    (void)state;
    snprintf(path, sizeof path, "%s/%0200d", directory, 7);
    memset(channel, 0xe9, sizeof channel - 1); /* not UTF-8 */
    memcpy(channel, "a/b \"\\\n", 7);
    channel[255] = '\0';
    to = subscriber(channel, path, &receiver);
    from = actor_start("publisher", channel, path, "");
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    assert_int_equal(actor_ask(&from, "publish 0 10 8"), 0);
    RECEIVER_WAIT(&receiver, count, 10);
    actor_end(&from);
    mmipc_subscriber_close(to);
    rmdir(path);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void make_file(const char *directory, const char *name, const char *text)
{
    char path[512];
    int fd;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void garbage_in_the_directory(void **state)
{
    char *directory = test_directory(), path[512], *nested = calloc(1, 2000);
    struct receiver receiver = RECEIVER_INIT;
    mmipc_subscriber *to;
    struct actor from;
    (void)state;
    make_file(directory, "mmipc-00000000000000000000000000000001.json", "");
    make_file(directory, "mmipc-00000000000000000000000000000002.json", "{\"magic\":\"mmipc-slot\"");
    memset(nested, '[', 1999);
    make_file(directory, "mmipc-00000000000000000000000000000003.json", nested);
    make_file(directory, "mmipc-00000000000000000000000000000004.json", "{\"magic\":\"another\"}");
    make_file(directory, "somebody-elses.json", "{\"magic\":\"mmipc-slot\"}");
    snprintf(path, sizeof path, "%s/mmipc-00000000000000000000000000000005.json", directory);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/mmipc-00000000000000000000000000000006.json", directory);
    assert_int_equal(mkfifo(path, 0600), 0);
    snprintf(path, sizeof path, "%s/mmipc-00000000000000000000000000000007.json", directory);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    to = subscriber("c", directory, &receiver);
    from = actor_start("publisher", "c", directory, "ping=20");
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    assert_int_equal(actor_ask(&from, "publish 0 10 8"), 0);
    RECEIVER_WAIT(&receiver, count, 10);
    actor_end(&from);
    mmipc_subscriber_close(to);
    free(nested);
    assert_int_equal(test_directory_remove(directory), 8); /* all still there */
}

#define PAIR_CASES                                                                                                     \
    CASE(delivers_in_order), CASE(many_to_many), CASE(parts_are_kept), CASE(killed_publisher_is_drained),              \
        CASE(farewell_is_heard_before_the_hang_up), CASE(dead_leave_nothing), CASE(counts_and_reasons),                \
        CASE(same_process_does_not_meet), CASE(stopped_peer_is_suspended), CASE(suspended_and_full_is_dropped),        \
        CASE(odd_names_and_long_paths), CASE(garbage_in_the_directory)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {PAIR_CASES};
    actor_main(argc, argv);
    return cases_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
