/* A heavy barrier that did not reach the other side: what that stored just before was not seen by the last look, and it
 * saw no sleeper, so it wakes nobody. Whoever sleeps finds it all the same. Both ends are in one process, and the other
 * side's part is played when the last look is over and the sleep begins. */
#include "cases.h"

#include "actor.h"
#include "receiver.h"
#include "subscriber.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>

enum { PATIENCE_MS = 10000 };

static char *directory;
static mmipc_publisher *publisher;
static mmipc_subscriber *_Atomic subscriber; /* its data thread runs before it is opened */
static mmipc_message *message;
static _Atomic uint64_t sequence;

static void (*_Atomic unseen)(void); /* what the other side is to do, once */
static atomic_int swallowed;         /* wake-ups that it would have given if it had seen the sleeper */
static _Thread_local bool plays_other, is_case;

/* NOLINTBEGIN: the linker's names */
int __real_os_socket_peer(int fd, struct os_peer *out);
int __wrap_os_socket_peer(int fd, struct os_peer *out);
void __real_os_wake_send(int sender);
void __wrap_os_wake_send(int sender);
int __real_os_poll(const int *fds, int count, int64_t deadline_ns);
int __wrap_os_poll(const int *fds, int count, int64_t deadline_ns);
int __real_os_poller_wait(int poller, void **data, int capacity, int64_t deadline_ns);
int __wrap_os_poller_wait(int poller, void **data, int capacity, int64_t deadline_ns);
void __real_os_timer_start(int fd, int64_t ns);
void __wrap_os_timer_start(int fd, int64_t ns);

int __wrap_os_socket_peer(int fd, struct os_peer *out)
{
    int error = __real_os_socket_peer(fd, out);
    out->pid++; /* of some other process, as it were */
    return error;
}

void __wrap_os_wake_send(int sender)
{
    if (plays_other)
        atomic_fetch_add(&swallowed, 1);
    else
        __real_os_wake_send(sender);
}

static void play_other(void)
{
    void (*play)(void) = atomic_exchange(&unseen, NULL);
    if (play == NULL)
        return;
    plays_other = true;
    play();
    plays_other = false;
}

/* A receive that waits, and a flush: both called by the case itself. */
int __wrap_os_poll(const int *fds, int count, int64_t deadline_ns)
{
    if (is_case)
        play_other();
    return __real_os_poll(fds, count, deadline_ns);
}

/* The data thread. */
int __wrap_os_poller_wait(int poller, void **data, int capacity, int64_t deadline_ns)
{
    const mmipc_subscriber *opened = atomic_load(&subscriber);
    if (thread_is_callback_thread && opened != NULL && poller == opened->poller)
        play_other();
    return __real_os_poller_wait(poller, data, capacity, deadline_ns);
}

/* Who arms the descriptor. */
void __wrap_os_timer_start(int fd, int64_t ns)
{
    play_other();
    __real_os_timer_start(fd, ns);
}
/* NOLINTEND */

static void publish_next(void)
{
    const uint64_t next = atomic_fetch_add(&sequence, 1);
    assert_int_equal(mmipc_publish(publisher, &next, sizeof next), 0);
}

static void release(void)
{
    mmipc_message_release(message);
}

static void open_pair(mmipc_message_fn *on_message, void *user)
{
    mmipc_subscriber *opened;
    mmipc_options options;
    is_case = true;
    mmipc_options_init(&options, sizeof options);
    options.spin_us = -1; /* sleeps at every turn */
    atomic_store(&sequence, 0);
    atomic_store(&swallowed, 0);
    directory = test_directory();
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, &options), 0);
    assert_int_equal(mmipc_subscriber_open(&opened, "c", directory, on_message, user, &options), 0);
    atomic_store(&subscriber, opened);
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, PATIENCE_MS), 0);
}

static void close_pair(void)
{
    mmipc_publisher_close(publisher);
    mmipc_subscriber_close(subscriber);
    subscriber = NULL;
    assert_int_equal(test_directory_remove(directory), 0);
}

/* The first message is followed by another, which the data thread does not see before it sleeps. */
static void followed(void *user, const mmipc_part *parts, size_t count)
{
    if (((struct receiver *)user)->count == 0)
        atomic_store(&unseen, publish_next);
    receiver_message(user, parts, count);
}

static void callback_comes(void **state)
{
    struct receiver receiver = RECEIVER_INIT;
    (void)state;
    open_pair(followed, &receiver);
    publish_next();
    RECEIVER_WAIT(&receiver, count, 2);
    assert_int_equal(receiver.out_of_order, 0);
    assert_int_equal(atomic_load(&swallowed), 1);
    close_pair();
}

/* And the two know each other, since a message has passed. */
static void open_pulled_pair(void)
{
    open_pair(NULL, NULL);
    publish_next();
    assert_int_equal(mmipc_subscriber_receive(subscriber, &message, PATIENCE_MS), 0);
    release();
}

/* Before its time is over, or when it is: 5 ms are less than the later look waits. */
static void receive_returns(void **state)
{
    static const int patience_ms[] = {PATIENCE_MS, -1, 5};
    (void)state;
    open_pulled_pair();
    for (int i = 0; i < 3; ++i) {
        atomic_store(&unseen, publish_next);
        assert_int_equal(mmipc_subscriber_receive(subscriber, &message, patience_ms[i]), 0);
        assert_int_equal(atomic_load(&swallowed), i + 1);
        release();
    }
    close_pair();
}

static void descriptor_becomes_readable(void **state)
{
    struct pollfd polled = {.events = POLLIN};
    (void)state;
    open_pulled_pair();
    polled.fd = mmipc_subscriber_fd(subscriber);
    atomic_store(&unseen, publish_next);
    for (int i = 0; i < 100 && atomic_load(&swallowed) == 0; ++i) /* some may find that there is something to look at */
        assert_int_equal(mmipc_subscriber_receive(subscriber, &message, 0), -ETIMEDOUT);
    assert_int_equal(atomic_load(&swallowed), 1);
    assert_int_equal(poll(&polled, 1, PATIENCE_MS), 1);
    assert_int_equal(mmipc_subscriber_receive(subscriber, &message, 0), 0);
    release();
    close_pair();
}

static void flush_returns(void **state)
{
    (void)state;
    open_pair(NULL, NULL);
    publish_next();
    assert_int_equal(mmipc_subscriber_receive(subscriber, &message, PATIENCE_MS), 0);
    atomic_store(&unseen, release);
    assert_int_equal(mmipc_publisher_flush(publisher, -1), 0); /* with a time-out, it would look when that is over */
    assert_int_equal(atomic_load(&swallowed), 1);
    close_pair();
}

CASES_MAIN(CASE(callback_comes), CASE(receive_returns), CASE(descriptor_becomes_readable), CASE(flush_returns))
