/* The calls of the public header one by one: modes, waits, closing, errors. */
#include "cases.h"

#include "actor.h"
#include "inside.h"
#include "receiver.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static bool readable(int fd, int timeout_ms)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    return poll(&polled, 1, timeout_ms) == 1;
}

static uint64_t sequence_of(const mmipc_message *message)
{
    const mmipc_part *parts;
    uint64_t sequence;
    assert_int_equal(mmipc_message_parts(message, &parts), 1);
    memcpy(&sequence, parts[0].data, sizeof sequence);
    return sequence;
}

static void pull_releases_in_any_order(void **state)
{
    char *directory = test_directory();
    mmipc_message *messages[64], *last;
    mmipc_subscriber *to;
    struct actor from;
    (void)state;
    assert_int_equal(mmipc_subscriber_open(&to, "c", directory, NULL, NULL, NULL), 0);
    assert_int_equal(mmipc_subscriber_receive(to, messages, 0), -ETIMEDOUT);
    from = actor_start("publisher", "c", directory, "segment=65536");
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    for (uint64_t round = 0; round < 20; ++round) { /* several laps of the ring */
        actor_tell(&from, "publish %d 64 500", (int)round * 64);
        for (uint64_t i = 0; i < 64; ++i) {
            assert_int_equal(mmipc_subscriber_receive(to, &messages[i], 10000), 0);
            assert_int_equal(sequence_of(messages[i]), round * 64 + i);
        }
        for (int i = 63; i >= 0; --i)
            mmipc_message_release(messages[(i * 29) % 64]);
        assert_int_equal(actor_answer(&from), 0);
    }
    assert_int_equal(actor_ask(&from, "publish 7 1 8"), 0);
    assert_int_equal(mmipc_subscriber_receive(to, &last, 10000), 0);
    mmipc_subscriber_close(to);
    assert_int_equal(sequence_of(last), 7); /* outlives the subscriber */
    mmipc_message_release(last);
    actor_end(&from);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void descriptor_tells_the_truth(void **state)
{
    char *directory = test_directory();
    mmipc_message *message;
    mmipc_subscriber *to;
    struct actor from;
    uint64_t expected = 0;
    int fd;
    (void)state;
    assert_int_equal(mmipc_subscriber_open(&to, "c", directory, NULL, NULL, NULL), 0);
    fd = mmipc_subscriber_fd(to);
    assert_true(fd >= 0);
    from = actor_start("publisher", "c", directory, "");
    assert_int_equal(mmipc_subscriber_wait_connected(to, 1, 10000), 0);
    assert_int_equal(mmipc_subscriber_receive(to, &message, 0), -ETIMEDOUT);
    for (int round = 0; round < 200; ++round) {
        const int count = 1 + round % 3;
        assert_false(readable(fd, 0));
        assert_int_equal(actor_ask(&from, "publish %d %d 64", (int)expected, count), 0);
        for (int i = 0; i < count; ++i) {
            assert_true(readable(fd, 10000)); /* level-triggered: still, after each but the last */
            assert_int_equal(mmipc_subscriber_receive(to, &message, 0), 0);
            assert_int_equal(sequence_of(message), expected++);
            mmipc_message_release(message);
        }
    }
    actor_end(&from);
    mmipc_subscriber_close(to);
    test_directory_remove(directory);
}

/* Publishes one message each time the answer to the last has come: each finds the other side asleep. */
static void no_wake_up_is_lost(void **state)
{
    char *directory = test_directory();
    struct receiver receiver = RECEIVER_INIT;
    mmipc_options options;
    mmipc_subscriber *to;
    struct actor from;
    (void)state;
    mmipc_options_init(&options, sizeof options);
    options.spin_us = -1;
    assert_int_equal(mmipc_subscriber_open(&to, "c", directory, receiver_message, &receiver, &options), 0);
    from = actor_start("publisher", "c", directory, "spin_us=-1 segment=65536");
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    for (int i = 0; i < 3000; ++i) {
        actor_tell(&from, "publish %d 1 %d", i, 8 + i * 7 % 60000);
        RECEIVER_WAIT(&receiver, count, i + 1);
        assert_int_equal(actor_answer(&from), 0);
    }
    assert_int_equal(receiver.out_of_order, 0);
    actor_end(&from);
    mmipc_subscriber_close(to);
    test_directory_remove(directory);
}

static void full_policies(void **state)
{
    char *directory = test_directory();
    struct actor to = actor_start("subscriber", "c", directory, "");
    static char data[16000], large[(64 << 10) + 1];
    mmipc_options options;
    mmipc_publisher *publisher;
    int result = 0;
    (void)state;
    assert_int_equal(actor_ask(&to, "hold 1"), 0);
    mmipc_options_init(&options, sizeof options);
    options.max_backlog_bytes = 64 << 10;
    options.when_full = MMIPC_WHEN_FULL_FAIL;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, &options), 0);
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
    for (int i = 0; i < 100 && result == 0; ++i)
        result = mmipc_publish(publisher, data, sizeof data);
    assert_int_equal(result, -EAGAIN);
    assert_int_equal(mmipc_publish(publisher, large, sizeof large), -EMSGSIZE);
    mmipc_publisher_close(publisher);
    options.when_full = MMIPC_WHEN_FULL_BLOCK;
    options.publish_timeout_ms = 30;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, &options), 0);
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
    for (int i = 0; i < 100 && result != -ETIMEDOUT; ++i)
        result = mmipc_publish(publisher, data, sizeof data);
    assert_int_equal(result, -ETIMEDOUT);
    assert_int_equal(mmipc_publisher_flush(publisher, 0), -ETIMEDOUT);
    assert_int_equal(mmipc_publisher_flush(publisher, 20), -ETIMEDOUT);
    assert_int_equal(mmipc_publisher_connections(publisher), 1);
    mmipc_publisher_close(publisher);
    options.when_full = MMIPC_WHEN_FULL_DISCONNECT;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, &options), 0);
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
    for (int i = 0; i < 100; ++i)
        assert_int_equal(mmipc_publish(publisher, data, sizeof data), 0);
    assert_int_equal(mmipc_publisher_wait_disconnected(publisher, 10000), 0);
    mmipc_publisher_close(publisher);
    actor_end(&to);
    test_directory_remove(directory);
}

static void *flush_for_long(void *argument)
{
    return (void *)(intptr_t)mmipc_publisher_flush(argument, 20000);
}

/* One thread waits for a stopped subscriber's sake; the others must not. */
static void flush_holds_up_no_publish(void **state)
{
    char *directory = test_directory();
    struct actor stopped = actor_start("subscriber", "c", directory, "ping=150");
    struct actor to =
        actor_start("subscriber", "c", directory, "ping=3000"); /* never silent: full, it would be dropped */
    mmipc_publisher *publisher;
    mmipc_options options;
    static char data[16000];
    pthread_t flushing;
    void *result;
    (void)state;
    mmipc_options_init(&options, sizeof options);
    options.ping_interval_ms = 150;
    options.max_backlog_bytes = 64 << 10;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, &options), 0);
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 2, 10000), 0);
    actor_stop(&stopped);
    for (uint64_t i = 0; i < 2; ++i) {
        memcpy(data, &i, sizeof i);
        assert_int_equal(mmipc_publish(publisher, data, sizeof data), 0);
    }
    assert_int_equal(pthread_create(&flushing, NULL, flush_for_long, publisher), 0);
    while (callers_inside(publisher) < 1)
        sched_yield();
    for (uint64_t i = 2; i < 40; ++i) {
        memcpy(data, &i, sizeof i);
        assert_int_equal(mmipc_publish(publisher, data, sizeof data), 0);
    }
    pthread_join(flushing, &result);
    assert_int_equal((intptr_t)result,
                     0); /* the stopped one was dropped when its ring was full: nobody is left to wait for */
    assert_int_equal(actor_ask(&to, "expect 40"), 40);
    actor_continue(&stopped);
    mmipc_publisher_close(publisher);
    actor_end(&stopped);
    actor_end(&to);
    test_directory_remove(directory);
}

/* An actor that takes messages itself: "pull DIRECTORY", "keep N" (takes N more, and gives back all before the last).
 */
static long puller(const char *line)
{
    static mmipc_subscriber *subscriber;
    static mmipc_message *kept;
    char directory[4096];
    int count, error = -EINVAL;
    if (sscanf(line, "pull %4095s", directory) == 1)
        return mmipc_subscriber_open(&subscriber, "pulled", directory, NULL, NULL, NULL);
    if (sscanf(line, "keep %d", &count) == 1) {
        for (error = 0; error == 0 && count > 0; --count) {
            mmipc_message_release(kept);
            kept = NULL;
            error = mmipc_subscriber_receive(subscriber, &kept, 10000);
        }
    } else if (strncmp(line, "leave", 5) == 0) {
        mmipc_message_release(kept);
        mmipc_subscriber_close(subscriber);
        error = 0;
    }
    return error;
}

enum { FITTING = 14, MORE = 6 };
static char pulled[4000];

static void *publish_more(void *argument)
{
    int error = 0;
    for (int i = 0; i < MORE && error == 0; ++i)
        error = mmipc_publish(argument, pulled, sizeof pulled);
    return (void *)(intptr_t)error;
}

/* Until a thread sleeps for the number-th time; what for. */
static uint64_t wait_for_sleep(mmipc_publisher *publisher, uint64_t number)
{
    uint64_t sleep, wanted;
    do {
        sched_yield();
        gate_enter_locked(&publisher->gate, false); /* the pair stays meanwhile */
        assert_int_equal(publisher->outlet_count, 1);
        sleep = shared_load_acquire(&publisher->outlets[0]->ours->waiting);
        wanted = shared_load_relaxed(&publisher->outlets[0]->ours->wanted);
        gate_leave_locked(&publisher->gate);
    } while (sleep < 2 * number + 1 || sleep % 2 == 0);
    return wanted;
}

/* A publish needs less to be read than a flush that waits already, and sleeps for both. */
static void flush_hides_no_room(void **state)
{
    char *directory = test_directory();
    struct actor to = actor_start("subscriber", "other", directory, "");
    mmipc_publisher *publisher;
    mmipc_options options;
    pthread_t flushing, publishing;
    uint64_t flushed;
    void *result;
    (void)state;
    mmipc_options_init(&options, sizeof options);
    options.max_backlog_bytes = 64 << 10;
    options.publish_timeout_ms = 5000;
    assert_int_equal(mmipc_publisher_open(&publisher, "pulled", directory, &options), 0);
    assert_int_equal(actor_ask(&to, "pull %s", directory), 0);
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
    for (int i = 0; i < FITTING; ++i)
        assert_int_equal(mmipc_publish(publisher, pulled, sizeof pulled), 0);
    assert_int_equal(actor_ask(&to, "keep 1"), 0);
    assert_int_equal(pthread_create(&flushing, NULL, flush_for_long, publisher), 0);
    flushed = wait_for_sleep(publisher, 1);
    assert_int_equal(pthread_create(&publishing, NULL, publish_more, publisher), 0);
    assert_true(wait_for_sleep(publisher, 2) < flushed); /* woken, to sleep for the nearer target */
    assert_int_equal(actor_ask(&to, "keep %d", FITTING - 4),
                     0); /* room for the publish, not yet the end of the flush */
    pthread_join(publishing, &result);
    assert_int_equal((intptr_t)result, 0);
    assert_int_equal(actor_ask(&to, "keep %d", 4 + MORE - 1), 0);
    pthread_join(flushing, &result);
    assert_int_equal((intptr_t)result, 0);
    assert_int_equal(actor_ask(&to, "leave"), 0);
    mmipc_publisher_close(publisher);
    actor_end(&to);
    test_directory_remove(directory);
}

static void *receive_for_long(void *argument)
{
    mmipc_message *message;
    return (void *)(intptr_t)mmipc_subscriber_receive(argument, &message, 20000);
}

static void descriptor_is_had_beside_a_receive(void **state)
{
    char *directory = test_directory();
    mmipc_subscriber *subscriber;
    pthread_t receiving;
    void *result;
    (void)state;
    assert_int_equal(mmipc_subscriber_open(&subscriber, "c", directory, NULL, NULL, NULL), 0);
    assert_int_equal(pthread_create(&receiving, NULL, receive_for_long, subscriber), 0);
    while (users_of((struct endpoint *)subscriber) < 1)
        sched_yield();
    assert_true(mmipc_subscriber_fd(subscriber) >= 0); /* at once, not in 20 s: */
    assert_int_equal(users_of((struct endpoint *)subscriber), 1);
    mmipc_subscriber_close(subscriber);
    pthread_join(receiving, &result);
    assert_int_equal((intptr_t)result, -ESHUTDOWN);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void *publish_sequence(void *argument)
{
    mmipc_publisher *publisher = argument;
    static _Atomic int threads_started;
    const uint64_t thread = (uint64_t)threads_started++;
    intptr_t result = 0;
    for (uint64_t i = 0; i < 20000 && result == 0; ++i) {
        const uint64_t words[] = {thread << 32 | i};
        result = mmipc_publish(publisher, words, sizeof words);
    }
    return (void *)result;
}

struct per_thread {
    struct receiver receiver;
    uint32_t next[4];
    int wrong;
};

static void check_per_thread(void *user, const mmipc_part *parts, size_t count)
{
    struct per_thread *seen = user;
    uint64_t word;
    (void)count;
    memcpy(&word, parts[0].data, sizeof word);
    pthread_mutex_lock(&seen->receiver.lock);
    if (word >> 32 > 3 || seen->next[word >> 32]++ != (uint32_t)word)
        seen->wrong++;
    seen->receiver.count++;
    pthread_cond_broadcast(&seen->receiver.changed);
    pthread_mutex_unlock(&seen->receiver.lock);
}

/* The child is the many-threaded publisher, the parent checks: a test program that is started twice would do as well,
 * but the threads are the point, and actors have one. */
static void threads_keep_their_order(void **state)
{
    char *directory = test_directory();
    struct per_thread seen = {.receiver = RECEIVER_INIT};
    mmipc_subscriber *to;
    char *const arguments[] = {"calls", "--threads", directory, NULL};
    const char *program = actor_program();
    pid_t pid;
    int status;
    (void)state;
    assert_int_equal(mmipc_subscriber_open(&to, "c", directory, check_per_thread, &seen, NULL), 0);
    pid = vfork();
    if (pid == 0) {
        execv(program, arguments);
        _exit(127);
    }
    assert_true(pid > 0);
    RECEIVER_WAIT(&seen.receiver, count, 80000);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(seen.wrong, 0);
    mmipc_subscriber_close(to);
    assert_int_equal(test_directory_remove(directory), 0);
}

static int threads_main(const char *directory)
{
    mmipc_publisher *publisher;
    pthread_t publishing[4];
    void *result;
    int failures = 0;
    if (mmipc_publisher_open(&publisher, "c", directory, NULL) != 0 ||
        mmipc_publisher_wait_connected(publisher, 1, 10000) != 0)
        return 1;
    for (int i = 0; i < 4; ++i)
        pthread_create(&publishing[i], NULL, publish_sequence, publisher);
    for (int i = 0; i < 4; ++i) {
        pthread_join(publishing[i], &result);
        failures += result != NULL;
    }
    failures += mmipc_publisher_flush(publisher, 30000) != 0;
    mmipc_publisher_close(publisher);
    return failures;
}

static void loans(void **state)
{
    char *directory = test_directory();
    struct actor to = actor_start("subscriber", "c", directory, "");
    mmipc_publisher *publisher;
    mmipc_loan *loan;
    void *data;
    (void)state;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, NULL), 0);
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
    for (uint64_t i = 0; i < 100; ++i) {
        assert_int_equal(mmipc_publish_begin(publisher, 100, &loan, &data), 0);
        memcpy(data, &i, sizeof i);
        assert_int_equal(mmipc_publish_commit(loan, 50), 0);
        assert_int_equal(mmipc_publish_begin(publisher, 100, &loan, &data), 0);
        mmipc_publish_abort(loan);
    }
    assert_int_equal(mmipc_publish_begin(publisher, 8, &loan, &data), 0);
    assert_int_equal(mmipc_publish_commit(loan, 9), -EINVAL);
    assert_int_equal(mmipc_publish_begin(publisher, SIZE_MAX, &loan, &data), -EMSGSIZE);
    assert_int_equal(mmipc_publisher_flush(publisher, 10000), 0);
    assert_int_equal(actor_ask(&to, "expect 100"), 100);
    mmipc_publisher_close(publisher);
    actor_end(&to);
    test_directory_remove(directory);
}

static void refuses_bad_arguments(void **state)
{
    struct {
        mmipc_options options;
        char tail[8];
    } newer;
    char *directory = test_directory(), too_long[257];
    mmipc_publisher *publisher = (mmipc_publisher *)(uintptr_t)1;
    mmipc_options options;
    (void)state;
    memset(too_long, 'x', 256);
    too_long[256] = '\0';
    assert_int_equal(mmipc_publisher_open(&publisher, "", directory, NULL), -EINVAL);
    assert_int_equal(mmipc_publisher_open(&publisher, too_long, directory, NULL), -EINVAL);
    assert_int_equal(mmipc_publisher_open(&publisher, "c", "", NULL), -EINVAL);
    assert_int_equal(mmipc_publisher_open(&publisher, "c", "/dev/null/below", NULL), -ENOTDIR);
    mmipc_options_init(&options, sizeof options);
    options.spin_us = -2;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, &options), -EINVAL);
    memset(&newer, 0, sizeof newer);
    newer.options.size = sizeof newer;
    newer.tail[0] = 1;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, &newer.options), -E2BIG);
    assert_ptr_equal(publisher, (mmipc_publisher *)(uintptr_t)1); /* untouched */
    newer.tail[0] = 0;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, &newer.options), 0);
    mmipc_publisher_close(publisher);
    mmipc_publisher_close(NULL);
    mmipc_subscriber_close(NULL);
    mmipc_message_release(NULL);
    assert_non_null(mmipc_strerror(-EAGAIN));
    assert_int_equal(test_directory_remove(directory), 0);
}

static void child_of_fork_is_refused(void **state)
{
    char *directory = test_directory();
    mmipc_publisher *publisher;
    mmipc_subscriber *subscriber;
    mmipc_message *held;
    struct actor from;
    int status;
    pid_t pid;
    (void)state;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, NULL), 0);
    assert_int_equal(mmipc_subscriber_open(&subscriber, "c", directory, NULL, NULL, NULL), 0);
    from = actor_start("publisher", "c", directory, "");
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    assert_int_equal(actor_ask(&from, "publish 0 1 8"), 0);
    assert_int_equal(mmipc_subscriber_receive(subscriber, &held, 10000), 0);
    pid = fork(); /* the very thing under test */
    if (pid == 0) {
        mmipc_message *message;
        int wrong = mmipc_publish(publisher, "x", 1) != -EPERM || mmipc_publisher_connections(publisher) != -EPERM ||
                    mmipc_subscriber_receive(subscriber, &message, 0) != -EPERM ||
                    mmipc_publisher_flush(publisher, 0) != -EPERM;
        mmipc_message_release(held);
        mmipc_publisher_close(publisher);
        mmipc_subscriber_close(subscriber);
        execl(wrong ? "/bin/false" : "/bin/true", "true", NULL); /* not exit: the parent's threads' memory is no leak */
        _exit(1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(mmipc_publish(publisher, "x", 1), 0);
    mmipc_publisher_close(publisher);
    mmipc_message_release(held);
    mmipc_subscriber_close(subscriber);
    actor_end(&from);
    assert_int_equal(test_directory_remove(directory), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {CASE(pull_releases_in_any_order),
                                       CASE(descriptor_tells_the_truth),
                                       CASE(no_wake_up_is_lost),
                                       CASE(full_policies),
                                       CASE(flush_holds_up_no_publish),
                                       CASE(flush_hides_no_room),
                                       CASE(descriptor_is_had_beside_a_receive),
                                       CASE(threads_keep_their_order),
                                       CASE(loans),
                                       CASE(refuses_bad_arguments),
                                       CASE(child_of_fork_is_refused)};
    if (argc == 3 && strcmp(argv[1], "--threads") == 0)
        return threads_main(argv[2]);
    actor_other = puller;
    actor_main(argc, argv);
    return cases_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
