/* What a peer can do to the objects by which the two sides wake each other: disturb its own pair, and nobody else. */
#include "cases.h"

#include "actor.h"
#include "receiver.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* In the rogue's process: every such object that its library made, got, or passed on. See --wrap in CMakeLists.txt. */
static int objects[64], object_count;
static pthread_mutex_t objects_lock = PTHREAD_MUTEX_INITIALIZER;

int __real_os_wake_create(int *sender); // NOLINT: the linker's names
int __real_os_wake_check(int sender);   // NOLINT
int __wrap_os_wake_create(int *sender); // NOLINT
int __wrap_os_wake_check(int sender);   // NOLINT

static long rogue(const char *line);

static void keep(int fd)
{
    pthread_mutex_lock(&objects_lock);
    if (actor_other == rogue && object_count < 64) /* only there: the test's own process must not leak */
        objects[object_count++] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    pthread_mutex_unlock(&objects_lock);
}

int __wrap_os_wake_create(int *sender) // NOLINT
{
    int fd = __real_os_wake_create(sender);
    if (fd >= 0) {
        keep(fd);
        keep(*sender);
    }
    return fd;
}

int __wrap_os_wake_check(int sender) // NOLINT
{
    keep(sender);
    return __real_os_wake_check(sender);
}

/* "fill": makes all of them, "own": the two ends that its library made first, block whoever does not say otherwise, and
 * as full as they get. "shut": ends them. */
static long rogue(const char *line)
{
    const char bytes[4096] = ""; /* large: reading a little of one makes no room */
    int count;
    if (strncmp(line, "fill", 4) != 0 && strncmp(line, "own", 3) != 0 && strncmp(line, "shut", 4) != 0)
        return -ENOSYS;
    pthread_mutex_lock(&objects_lock);
    count = line[0] == 'o' ? 2 : object_count;
    for (int i = 0; i < count; ++i) {
        fcntl(objects[i], F_SETFL, fcntl(objects[i], F_GETFL) & ~O_NONBLOCK);
        if (line[0] == 's')
            shutdown(objects[i], SHUT_RDWR);
        while (line[0] != 's' && send(objects[i], bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
            ;
    }
    pthread_mutex_unlock(&objects_lock);
    return count;
}

static int64_t cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static mmipc_options quick(void)
{
    mmipc_options options;
    mmipc_options_init(&options, sizeof options);
    options.spin_us = -1; /* sleeps, and so wake-ups, at every turn */
    options.segment_bytes = 64 << 10;
    options.max_backlog_bytes = 64 << 10;
    return options;
}

static void subscriber_cannot_hold_up_publish(void **state)
{
    char *directory = test_directory();
    struct actor bad = actor_start("subscriber", "c", directory, "spin_us=-1"), good;
    mmipc_options options = quick();
    mmipc_publisher *publisher;
    (void)state;
    good = actor_start("subscriber", "c", directory, "spin_us=-1");
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, &options), 0);
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 2, 10000), 0);
    for (uint64_t i = 0; i < 100; ++i) {
        assert_true(actor_ask(&bad, i == 50 ? "shut" : "fill") > 0);
        assert_int_equal(mmipc_publish(publisher, &i, sizeof i), 0); /* else the case's time-out ends this */
        assert_int_equal(actor_ask(&good, "expect %d", (int)i + 1), (long)i + 1);
    }
    mmipc_publisher_close(publisher);
    actor_end(&good);
    actor_end(&bad);
    assert_int_equal(test_directory_remove(directory), 0);
}

/* A publisher that waits for room does so until its time-out, and without burning a processor. */
static void subscriber_cannot_hold_up_who_waits_for_room(void **state)
{
    static char data[16000];
    char *directory = test_directory();
    struct actor bad = actor_start("subscriber", "c", directory, "spin_us=-1");
    mmipc_options options = quick();
    mmipc_publisher *publisher;
    int64_t burnt;
    int result;
    (void)state;
    options.publish_timeout_ms = 500;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, &options), 0);
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
    assert_int_equal(actor_ask(&bad, "hold 1"), 0);
    for (int round = 0; round < 2; ++round) {
        assert_true(actor_ask(&bad, round == 0 ? "fill" : "shut") > 0);
        burnt = cpu_ms();
        do
            result = mmipc_publish(publisher, data, sizeof data);
        while (result == 0);
        assert_int_equal(result, -ETIMEDOUT);
        assert_true(cpu_ms() - burnt < 250);
    }
    mmipc_publisher_close(publisher);
    actor_end(&bad);
    assert_int_equal(test_directory_remove(directory), 0);
}

/* The rogue publisher waits for room, and is woken by us when we free some. */
static void publisher_cannot_hold_up_delivery(void **state)
{
    char *directory = test_directory();
    struct receiver receiver = RECEIVER_INIT;
    mmipc_options options = quick();
    mmipc_subscriber *to;
    struct actor bad, good;
    (void)state;
    options.on_peer = receiver_peer;
    options.user = &receiver;
    assert_int_equal(mmipc_subscriber_open(&to, "c", directory, receiver_message, &receiver, &options), 0);
    bad = actor_start("publisher", "c", directory, "spin_us=-1 segment=65536 backlog=65536");
    assert_int_equal(actor_ask(&bad, "connected 1 10000"), 0);
    receiver_hold(&receiver, true);
    actor_tell(&bad, "publish 0 200 8000");
    RECEIVER_WAIT(&receiver, in_handler, true);
    receiver_hold(&receiver, false);
    RECEIVER_WAIT(&receiver, count, 200);
    assert_int_equal(actor_answer(&bad), 0);
    assert_int_equal(actor_ask(&bad, "flush 10000"), 0); /* the ring is free again */
    assert_true(actor_ask(&bad, "own") > 0);
    actor_tell(&bad, "publish 200 200 8000");
    RECEIVER_WAIT(&receiver, count,
                  207); /* what fits before it has to wait for room; it is deaf now, and waits for ever */
    good = actor_start("publisher", "c", directory, "spin_us=-1 segment=65536");
    assert_int_equal(actor_ask(&good, "connected 1 10000"), 0);
    assert_int_equal(actor_ask(&good, "publish 0 1000 8000"), 0);
    RECEIVER_WAIT(&receiver, count, 1207);
    actor_end(&good);
    actor_kill(&bad);
    mmipc_subscriber_close(to);
    test_directory_remove(directory);
}

static bool is_readable(int fd, int timeout_ms)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    return poll(&polled, 1, timeout_ms) == 1;
}

static void take(mmipc_subscriber *to, int count)
{
    for (int i = 0; i < count; ++i) {
        mmipc_message *message;
        assert_int_equal(mmipc_subscriber_receive(to, &message, 10000), 0);
        mmipc_message_release(message);
    }
}

static void publisher_cannot_keep_the_descriptor_readable(void **state)
{
    char *directory = test_directory();
    mmipc_options options = quick();
    mmipc_message *message;
    mmipc_subscriber *to;
    struct actor bad, good;
    int fd;
    (void)state;
    assert_int_equal(mmipc_subscriber_open(&to, "c", directory, NULL, NULL, &options), 0);
    fd = mmipc_subscriber_fd(to);
    good = actor_start("publisher", "c", directory, "");
    for (int round = 0; round < 2; ++round) {
        bad = actor_start("publisher", "c", directory, "");
        assert_int_equal(mmipc_subscriber_wait_connected(to, 2, 10000), 0);
        while (mmipc_subscriber_receive(to, &message, 0) == 0 || is_readable(fd, 0)) /* looks at the new peer */
            ;
        assert_true(actor_ask(&bad, round == 0 ? "fill" : "shut") > 0);
        assert_true(is_readable(fd, 10000)); /* disturbed … */
        for (int i = 0; i < 3; ++i)
            assert_int_equal(mmipc_subscriber_receive(to, &message, 0), -ETIMEDOUT);
        assert_false(is_readable(fd, 0)); /* … once */
        assert_int_equal(mmipc_subscriber_receive(to, &message, 20), -ETIMEDOUT);
        assert_int_equal(actor_ask(&good, "publish 0 3 64"), 0);
        assert_true(is_readable(fd, 10000));
        take(to, 3);
        actor_kill(&bad);
        assert_int_equal(mmipc_subscriber_wait_disconnected(to, 0), -ETIMEDOUT);
        while (mmipc_subscriber_connections(to) > 1)
            sched_yield();
    }
    actor_end(&good);
    mmipc_subscriber_close(to);
    test_directory_remove(directory);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(subscriber_cannot_hold_up_publish), CASE(subscriber_cannot_hold_up_who_waits_for_room),
        CASE(publisher_cannot_hold_up_delivery), CASE(publisher_cannot_keep_the_descriptor_readable)};
    if (argc > 1 && strcmp(argv[1], "--actor") == 0)
        actor_other = rogue;
    actor_main(argc, argv);
    return cases_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
