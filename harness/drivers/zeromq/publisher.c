#include "callers.h"
#include "zeromq.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    TOPIC_MOST = 1024, /* longer than any */
    LOOK_MS = 5
};

/* A socket is for one thread at a time: under the lock. Whoever calls it processes what libzmq's own thread has told it
 * meanwhile: that subscribers came and went, or have read, so that there is room. The control thread is woken to do so
 * if nobody else did it first; while others do, it looks now and then what they came upon. */
struct publisher {
    struct endpoint endpoint;
    struct roster *roster;
    struct zeromq zeromq;
    atomic_int count;
    int bell;
    bool has_control;
    pthread_t control;
    pthread_mutex_t lock;
    pthread_cond_t room;
    struct callers callers;
    bool stopping;
    bool sent, dozing; /* since the control thread looked; it waits until it is told */
    int waiting;
};

/* One subscriber or one message makes room for one that waits; that one then wakes the next. With the lock. */
static void wake_next(struct publisher *publisher)
{
    if (publisher->waiting > 0)
        pthread_cond_signal(&publisher->room);
}

/* A topic with a byte before it: 1, it is new, or 0, it is gone. -1: there is none. */
static int next_topic(struct publisher *publisher, unsigned char *topic, size_t room)
{
    pthread_mutex_lock(&publisher->lock);
    const int size = zmq_recv(publisher->zeromq.socket, topic, room, ZMQ_DONTWAIT);
    wake_next(publisher);
    pthread_mutex_unlock(&publisher->lock);
    return size;
}

static void note_topics(struct publisher *publisher)
{
    unsigned char topic[1 + TOPIC + 1];
    int size;
    while ((size = next_topic(publisher, topic, sizeof topic - 1)) >= 0) {
        if (size <= 1 + TOKEN || size >= (int)sizeof topic)
            continue; /* that of everybody: the empty one */
        topic[size] = '\0';
        atomic_fetch_add(&publisher->count, topic[0] != 0 ? 1 : -1);
        endpoint_report(&publisher->endpoint, (const char *)topic + 1 + TOKEN, topic[0] != 0);
    }
}

static void *control(void *context)
{
    struct publisher *publisher = context;
    struct pollfd waits[] = {{.fd = publisher->bell, .events = POLLIN},
                             {.fd = publisher->zeromq.ready, .events = POLLIN}};
    for (;;) {
        note_topics(publisher);
        pthread_mutex_lock(&publisher->lock);
        const bool stop = publisher->stopping, sent = publisher->sent;
        publisher->sent = false;
        publisher->dozing = !sent;
        pthread_mutex_unlock(&publisher->lock);
        if (stop)
            return NULL;
        poll(waits, 2, sent ? LOOK_MS : -1);
        if (waits[0].revents != 0)
            bell_clear(publisher->bell);
    }
}

static void publisher_free(struct publisher *publisher)
{
    callers_await(&publisher->callers);
    roster_close(publisher->roster);
    if (publisher->has_control) {
        pthread_mutex_lock(&publisher->lock);
        publisher->stopping = true;
        pthread_mutex_unlock(&publisher->lock);
        bell_ring(publisher->bell);
        pthread_join(publisher->control, NULL);
    }
    zeromq_close(&publisher->zeromq);
    if (publisher->bell >= 0)
        close(publisher->bell);
    pthread_cond_destroy(&publisher->room);
    pthread_mutex_destroy(&publisher->lock);
    free(publisher);
}

static int bind_socket(struct publisher *publisher, const ipcmark_endpoint *options, char address[ROSTER_ADDRESS])
{
    void *socket = publisher->zeromq.socket;
    char name[IDENTITY_TEXT];
    int result = zeromq_set_mark(socket, ZMQ_SNDHWM, options);
    if (result == 0)
        result = zeromq_set(socket, ZMQ_XPUB_NODROP, 1);
    if (result == 0) /* nothing but topics comes in */
        result = zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &(int64_t){TOPIC_MOST}, sizeof(int64_t)) < 0 ? -errno : 0;
    identity_make(name);
    snprintf(address, ROSTER_ADDRESS, ZEROMQ_ADDRESS "%s", name);
    if (result == 0 && zmq_bind(socket, address) < 0)
        result = -errno;
    return result;
}

int zeromq_publisher_open(void **out, const ipcmark_endpoint *options)
{
    static const struct roster_kind kind = {.driver = "zeromq", .is_publisher = true};
    struct publisher *publisher = calloc(1, sizeof *publisher);
    char address[ROSTER_ADDRESS];
    if (publisher == NULL)
        return -ENOMEM;
    pthread_mutex_init(&publisher->lock, NULL);
    pthread_cond_init(&publisher->room, NULL);
    callers_init(&publisher->callers);
    int result = publisher->bell = bell_open();
    if (result >= 0)
        result = endpoint_copy(&publisher->endpoint, options);
    if (result == 0)
        result = zeromq_open(&publisher->zeromq, ZMQ_XPUB);
    if (result == 0)
        result = bind_socket(publisher, options, address);
    if (result == 0)
        result = roster_open(&publisher->roster, &publisher->endpoint, options->directory, &kind, address, publisher);
    if (result == 0)
        result = thread_start(&publisher->control, control, publisher);
    publisher->has_control = result == 0;
    if (result == 0)
        result = roster_start(publisher->roster);
    if (result < 0) {
        publisher_free(publisher);
        return result;
    }
    *out = publisher;
    return 0;
}

/* With the lock. All or none: room is asked for with the first part, for the whole message. */
static int send_parts(struct publisher *publisher, const ipcmark_part *parts, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        const int flags = (i + 1 < count ? ZMQ_SNDMORE : 0) | (i == 0 ? ZMQ_DONTWAIT : 0);
        if (zmq_send(publisher->zeromq.socket, parts[i].data, parts[i].size, flags) < 0)
            return i == 0 ? -errno : -EIO;
    }
    return 0;
}

/* With the lock: the socket has been called, and the control thread may have slept through what it had to tell. */
static void note_sent(struct publisher *publisher)
{
    publisher->sent = true;
    if (publisher->dozing) {
        publisher->dozing = false;
        bell_ring(publisher->bell);
    }
}

/* With the lock. */
static int send_when_there_is_room(struct publisher *publisher, const ipcmark_part *parts, size_t count)
{
    for (;;) {
        const int result = callers_refused(&publisher->callers) ? -ESHUTDOWN : send_parts(publisher, parts, count);
        note_sent(publisher);
        if (result != -EAGAIN) {
            wake_next(publisher);
            return result;
        }
        ++publisher->waiting;
        pthread_cond_wait(&publisher->room, &publisher->lock);
        --publisher->waiting;
    }
}

int zeromq_publish(void *handle, const ipcmark_part *parts, size_t count)
{
    struct publisher *publisher = handle;
    size_t size = 0;
    if (count == 0)
        return -EINVAL; /* ZeroMQ has no such message */
    for (size_t i = 0; i < count; ++i) {
        if (parts[i].size > publisher->endpoint.max_bytes - size)
            return -EMSGSIZE;
        size += parts[i].size;
    }
    if (!callers_enter(&publisher->callers))
        return -ESHUTDOWN;
    pthread_mutex_lock(&publisher->lock);
    const int result = send_when_there_is_room(publisher, parts, count);
    pthread_mutex_unlock(&publisher->lock);
    callers_leave(&publisher->callers);
    return result;
}

int zeromq_publisher_peers(void *handle)
{
    return atomic_load(&((struct publisher *)handle)->count);
}

void zeromq_publisher_close(void *handle)
{
    struct publisher *publisher = handle;
    callers_refuse(&publisher->callers);
    pthread_mutex_lock(&publisher->lock);
    pthread_cond_broadcast(&publisher->room);
    pthread_mutex_unlock(&publisher->lock);
    publisher_free(publisher);
}
