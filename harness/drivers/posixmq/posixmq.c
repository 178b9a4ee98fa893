/* POSIX message queues: a queue a subscriber, a message of the queue a frame and subscriber.
 *
 * The kernel keeps a queue until it is unlinked, whoever dies: messages outlive their publisher, and a dead
 * subscriber's queue is removed by whoever finds its advertisement. */
#include "posixmq.h"

#include "mailbox.h"
#include "queue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct inbox {
    char name[QUEUE_NAME];
    mqd_t queue;
};

size_t posixmq_frame_max(const ipcmark_endpoint *options)
{
    const size_t most = queue_message_max(), asked = options->max_message_bytes;
    return asked > 0 && asked + QUEUE_FRAME < most ? asked + QUEUE_FRAME : most;
}

static int inbox_find(void *place, char address[ROSTER_ADDRESS])
{
    struct inbox *inbox = place;
    queue_name(inbox->name);
    snprintf(address, ROSTER_ADDRESS, "%s", inbox->name);
    return 0;
}

static int inbox_make(void *place, const ipcmark_endpoint *options)
{
    struct inbox *inbox = place;
    inbox->queue = queue_make(inbox->name, posixmq_frame_max(options));
    return inbox->queue < 0 ? inbox->queue : 0;
}

static ssize_t inbox_receive(void *place, void *at, size_t room)
{
    return mq_receive(((struct inbox *)place)->queue, at, room, NULL);
}

/* A time that is over: if there is no room for it, there is something to wake up for already. */
static void inbox_wake(void *place)
{
    const struct timespec over = {0};
    mq_timedsend(((struct inbox *)place)->queue, "", 0, 0, &over);
}

static void inbox_free(void *place)
{
    struct inbox *inbox = place;
    if (inbox->queue >= 0) {
        queue_remove(inbox->name);
        mq_close(inbox->queue);
    }
    free(inbox);
}

static int posixmq_subscriber_open(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *deliver,
                                   void *context)
{
    static const struct mailbox_kind kind = {.driver = "posixmq",
                                             .stale = queue_remove,
                                             .frame_max = QUEUE_MESSAGE_MAX,
                                             .find = inbox_find,
                                             .make = inbox_make,
                                             .receive = inbox_receive,
                                             .wake = inbox_wake,
                                             .free = inbox_free};
    struct inbox *inbox = calloc(1, sizeof *inbox);
    if (inbox == NULL)
        return -ENOMEM;
    inbox->queue = -1;
    return mailbox_open(out, options, &kind, inbox, deliver, context);
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
        .subscriber_peers = mailbox_peers,
        .subscriber_close = mailbox_close,
    };
    driver.max_message_bytes = queue_message_max() > QUEUE_FRAME ? queue_message_max() - QUEUE_FRAME : 1;
    driver.max_subscribers = queue_count_max() > 0 ? queue_count_max() : 1;
    return &driver;
}
