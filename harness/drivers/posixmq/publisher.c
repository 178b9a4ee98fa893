/* Puts each message into every subscriber's queue. While it waits for room the lock is released, so that subscribers
 * may come and go: one that goes stays open until the wait is over, for it may be polled. */
#include "posixmq.h"

#include "callers.h"
#include "frame.h"
#include "queue.h"
#include "roster.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_MAX = 256 };

struct member {
    struct member *next;
    mqd_t queue;
    size_t room; /* bytes of a message */
    bool owed;   /* it still has to get the message in hand */
    char id[ENDPOINT_NAME];
};

struct publisher {
    struct endpoint endpoint;
    struct roster *roster;
    size_t frame_max;
    char *frame; /* of the message in hand */
    int retry;   /* wakes a publish that waits for room */
    pthread_mutex_t lock;
    pthread_cond_t turn;
    struct member *members;
    struct member *dropped; /* while `publishing` */
    bool publishing;        /* a publish waits for room and has released the lock meanwhile */
    struct callers callers;
};

static void member_free(struct member *member)
{
    mq_close(member->queue);
    free(member);
}

static int joined(void *context, const char *id, const char *address, void **out)
{
    struct publisher *publisher = context;
    struct member *member = calloc(1, sizeof *member);
    struct mq_attr attributes;
    if (member == NULL)
        return -ENOMEM;
    member->queue = queue_open(address);
    if (member->queue < 0 || mq_getattr(member->queue, &attributes) < 0) {
        const int error = member->queue < 0 ? member->queue : -errno;
        free(member);
        return error;
    }
    member->room = (size_t)attributes.mq_msgsize;
    snprintf(member->id, sizeof member->id, "%s", id);
    pthread_mutex_lock(&publisher->lock);
    member->next = publisher->members;
    publisher->members = member;
    pthread_mutex_unlock(&publisher->lock);
    endpoint_report(&publisher->endpoint, id, true);
    *out = member;
    return 0;
}

static void left(void *context, void *what)
{
    struct publisher *publisher = context;
    struct member *member = what, **at = &publisher->members;
    char id[ENDPOINT_NAME];
    memcpy(id, member->id, sizeof id);
    pthread_mutex_lock(&publisher->lock);
    while (*at != member)
        at = &(*at)->next;
    *at = member->next;
    if (publisher->publishing) {
        member->next = publisher->dropped;
        publisher->dropped = member;
        bell_ring(publisher->retry);
    } else {
        member_free(member);
    }
    pthread_mutex_unlock(&publisher->lock);
    if (!callers_refused(&publisher->callers))
        endpoint_report(&publisher->endpoint, id, false);
}

static void publisher_free(struct publisher *publisher)
{
    callers_await(&publisher->callers);
    roster_close(publisher->roster);
    if (publisher->retry >= 0)
        close(publisher->retry);
    pthread_cond_destroy(&publisher->turn);
    pthread_mutex_destroy(&publisher->lock);
    free(publisher->frame);
    free(publisher);
}

int posixmq_publisher_open(void **out, const ipcmark_endpoint *options)
{
    static const struct roster_kind kind = {
        .driver = "posixmq", .is_publisher = true, .stale = queue_remove, .joined = joined, .left = left};
    struct publisher *publisher = calloc(1, sizeof *publisher);
    if (publisher == NULL)
        return -ENOMEM;
    pthread_mutex_init(&publisher->lock, NULL);
    pthread_cond_init(&publisher->turn, NULL);
    callers_init(&publisher->callers);
    publisher->frame_max = posixmq_frame_max(options);
    publisher->frame = malloc(publisher->frame_max);
    int result = publisher->retry = bell_open();
    if (publisher->frame == NULL)
        result = -ENOMEM;
    if (result >= 0)
        result = endpoint_copy(&publisher->endpoint, options);
    if (result == 0)
        result = roster_open(&publisher->roster, &publisher->endpoint, options->directory, &kind, "", publisher);
    if (result == 0)
        result = roster_start(publisher->roster);
    if (result < 0) {
        publisher_free(publisher);
        return result;
    }
    *out = publisher;
    return 0;
}

/* Gives it to every member that has room now. 1: some have none; -EIO: one could not be sent to, perhaps not the only
 * one. */
static int send_round(struct publisher *publisher, size_t size)
{
    int result = 0;
    for (struct member *member = publisher->members; member != NULL; member = member->next) {
        if (!member->owed)
            continue;
        int sent;
        do
            sent = mq_send(member->queue, publisher->frame, size, 0);
        while (sent < 0 && errno == EINTR);
        if (sent < 0 && errno == EAGAIN) {
            result = result < 0 ? result : 1;
            continue;
        }
        member->owed = false;
        if (sent < 0)
            result = -EIO;
    }
    return result;
}

/* Waits, without the lock, until one that is owed has room or has left, or the publisher is closed. */
static void wait_for_room(struct publisher *publisher)
{
    struct pollfd waits[WAIT_MAX] = {{.fd = publisher->retry, .events = POLLIN}};
    nfds_t count = 1;
    bool all = true;
    for (const struct member *member = publisher->members; member != NULL; member = member->next) {
        if (!member->owed)
            continue;
        if (count < WAIT_MAX)
            waits[count++] = (struct pollfd){.fd = member->queue, .events = POLLOUT};
        else
            all = false;
    }
    pthread_mutex_unlock(&publisher->lock);
    poll(waits, count, all ? -1 : 10); /* those that did not fit are tried again soon */
    bell_clear(publisher->retry);
    pthread_mutex_lock(&publisher->lock);
}

static int send_to_all(struct publisher *publisher, size_t size)
{
    for (struct member *member = publisher->members; member != NULL; member = member->next)
        if (member->room < size)
            return -EMSGSIZE;
    for (struct member *member = publisher->members; member != NULL; member = member->next)
        member->owed = true;
    int result = send_round(publisher, size);
    if (result <= 0)
        return result;
    publisher->publishing = true;
    while (result > 0 && !callers_refused(&publisher->callers)) {
        wait_for_room(publisher);
        result = send_round(publisher, size);
    }
    publisher->publishing = false;
    for (struct member *member; (member = publisher->dropped) != NULL;) {
        publisher->dropped = member->next;
        member_free(member);
    }
    pthread_cond_broadcast(&publisher->turn);
    return result > 0 ? -ESHUTDOWN : result;
}

static int send_in_turn(struct publisher *publisher, const struct frame *frame)
{
    int result = -ESHUTDOWN;
    pthread_mutex_lock(&publisher->lock);
    while (publisher->publishing && !callers_refused(&publisher->callers))
        pthread_cond_wait(&publisher->turn, &publisher->lock);
    if (!callers_refused(&publisher->callers)) {
        frame_copy(frame, publisher->frame);
        result = send_to_all(publisher, frame->size);
    }
    pthread_mutex_unlock(&publisher->lock);
    return result;
}

int posixmq_publish(void *handle, const ipcmark_part *parts, size_t count)
{
    struct publisher *publisher = handle;
    struct frame frame;
    if (!callers_enter(&publisher->callers))
        return -ESHUTDOWN;
    int result = frame_begin(&frame, parts, count, publisher->endpoint.max_bytes);
    if (result == 0) {
        result = frame.size > publisher->frame_max ? -EMSGSIZE : send_in_turn(publisher, &frame);
        frame_end(&frame);
    }
    callers_leave(&publisher->callers);
    return result;
}

int posixmq_publisher_peers(void *handle)
{
    struct publisher *publisher = handle;
    int count = 0;
    if (!callers_enter(&publisher->callers))
        return 0;
    pthread_mutex_lock(&publisher->lock);
    for (const struct member *member = publisher->members; member != NULL; member = member->next)
        ++count;
    pthread_mutex_unlock(&publisher->lock);
    callers_leave(&publisher->callers);
    return count;
}

void posixmq_publisher_close(void *handle)
{
    struct publisher *publisher = handle;
    callers_refuse(&publisher->callers);
    bell_ring(publisher->retry);
    pthread_mutex_lock(&publisher->lock);
    pthread_cond_broadcast(&publisher->turn);
    pthread_mutex_unlock(&publisher->lock);
    publisher_free(publisher);
}
