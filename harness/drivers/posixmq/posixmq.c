/* POSIX message queues: a queue a subscriber, a message of the queue a frame and subscriber.
 *
 * The kernel keeps a queue until it is unlinked, whoever dies: messages outlive their publisher, and a dead
 * subscriber's queue is removed by whoever finds its advertisement. */
#include "posixmq.h"

#include "frame.h"
#include "intake.h"
#include "queue.h"
#include "roster.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct subscriber {
    struct endpoint endpoint;
    struct roster *roster;
    char name[QUEUE_NAME];
    mqd_t queue;
    atomic_int publishers;
    struct intake intake;
    struct frame_reader reader;
    ipcmark_deliver_fn *deliver;
    void *context;
};

size_t posixmq_frame_max(const ipcmark_endpoint *options)
{
    const size_t most = queue_message_max(), asked = options->max_message_bytes;
    return asked > 0 && asked + QUEUE_FRAME < most ? asked + QUEUE_FRAME : most;
}

/* What is not a frame is nobody's message. */
static void deliver(struct subscriber *subscriber)
{
    const ipcmark_part *parts;
    size_t count;
    if (frame_reader_next(&subscriber->reader, &parts, &count) > 0 &&
        subscriber->reader.head == subscriber->reader.tail)
        subscriber->deliver(subscriber->context, parts, count);
}

static void receive(void *context)
{
    struct subscriber *subscriber = context;
    while (!intake_is_closing(&subscriber->intake)) {
        void *at;
        size_t room;
        subscriber->reader.head = subscriber->reader.tail = 0;
        if (frame_reader_space(&subscriber->reader, &at, &room) < 0)
            return;
        const ssize_t got = mq_receive(subscriber->queue, at, room, NULL);
        if (got <= 0)
            continue;
        frame_reader_filled(&subscriber->reader, (size_t)got);
        deliver(subscriber);
    }
}

/* A time that is over: if there is no room for it, there is something to wake up for already. */
static void wake(void *context)
{
    const struct timespec over = {0};
    mq_timedsend(((struct subscriber *)context)->queue, "", 0, 0, &over);
}

static int joined(void *context, const char *id, const char *address, void **out)
{
    struct subscriber *subscriber = context;
    (void)address;
    if ((*out = strdup(id)) == NULL)
        return -ENOMEM;
    atomic_fetch_add(&subscriber->publishers, 1);
    endpoint_report(&subscriber->endpoint, id, true);
    return 0;
}

static void left(void *context, void *what)
{
    struct subscriber *subscriber = context;
    atomic_fetch_sub(&subscriber->publishers, 1);
    if (!intake_is_closing(&subscriber->intake))
        endpoint_report(&subscriber->endpoint, what, false);
    free(what);
}

/* The queue goes before its advertisement: killed in between, nobody would know of it. */
static void subscriber_free(void *context)
{
    struct subscriber *subscriber = context;
    if (subscriber->queue >= 0)
        queue_remove(subscriber->name);
    roster_close(subscriber->roster);
    if (subscriber->queue >= 0)
        mq_close(subscriber->queue);
    frame_reader_close(&subscriber->reader);
    free(subscriber);
}

/* Its advertisement is written first, for the same reason, and shown last. */
static int subscriber_begin(struct subscriber *subscriber, const ipcmark_endpoint *options)
{
    static const struct roster_kind kind = {
        .driver = "posixmq", .is_publisher = false, .stale = queue_remove, .joined = joined, .left = left};
    queue_name(subscriber->name);
    int result = endpoint_copy(&subscriber->endpoint, options);
    if (result == 0)
        result = frame_reader_open(&subscriber->reader, QUEUE_MESSAGE_MAX);
    if (result == 0)
        result = roster_open(&subscriber->roster, &subscriber->endpoint, options->directory, &kind, subscriber->name,
                             subscriber);
    if (result == 0)
        result = subscriber->queue = queue_make(subscriber->name, posixmq_frame_max(options));
    return result < 0 ? result : intake_start(&subscriber->intake, receive, subscriber_free, subscriber);
}

static int posixmq_subscriber_open(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *deliver_,
                                   void *context)
{
    struct subscriber *subscriber = calloc(1, sizeof *subscriber);
    if (subscriber == NULL)
        return -ENOMEM;
    subscriber->queue = -1;
    subscriber->deliver = deliver_;
    subscriber->context = context;
    int result = subscriber_begin(subscriber, options);
    if (result < 0) {
        subscriber_free(subscriber);
        return result;
    }
    result = roster_start(subscriber->roster);
    if (result < 0) {
        intake_close(&subscriber->intake, wake);
        return result;
    }
    *out = subscriber;
    return 0;
}

static int posixmq_subscriber_peers(void *handle)
{
    return atomic_load(&((struct subscriber *)handle)->publishers);
}

static void posixmq_subscriber_close(void *handle)
{
    struct subscriber *subscriber = handle;
    intake_close(&subscriber->intake, wake);
}

const ipcmark_driver *ipcmark_driver_get(void)
{
    static ipcmark_driver driver = {
        .abi = IPCMARK_DRIVER_ABI,
        .size = sizeof driver,
        .name = "posixmq",
        .version = IPCMARK_VERSION,
        .summary = "POSIX message queues, one a subscriber",
        .homepage = "https://man7.org/linux/man-pages/man7/mq_overview.7.html",
        .capabilities = IPCMARK_CAP_MULTIPART | IPCMARK_CAP_EMPTY_MESSAGE | IPCMARK_CAP_PEERS |
                        IPCMARK_CAP_PEER_EVENTS | IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH | IPCMARK_CAP_THREADS |
                        IPCMARK_CAP_NO_SELF_DELIVERY | IPCMARK_CAP_CLOSE_IN_HANDLER | IPCMARK_CAP_DURABLE_PAUSE |
                        IPCMARK_CAP_DIRECTORY_FILES | IPCMARK_CAP_ISOLATION_DIRECTORY | IPCMARK_CAP_WHEN_FULL_BLOCK,
        .publisher_open = posixmq_publisher_open,
        .publish = posixmq_publish,
        .publisher_peers = posixmq_publisher_peers,
        .publisher_close = posixmq_publisher_close,
        .subscriber_open = posixmq_subscriber_open,
        .subscriber_peers = posixmq_subscriber_peers,
        .subscriber_close = posixmq_subscriber_close,
    };
    driver.max_message_bytes = queue_message_max() > QUEUE_FRAME ? queue_message_max() - QUEUE_FRAME : 1;
    driver.max_subscribers = queue_count_max() > 0 ? queue_count_max() : 1;
    return &driver;
}
