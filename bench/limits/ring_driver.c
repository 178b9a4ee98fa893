/* The bare ring as a driver, so that the participants of limit/bare-ring do for each message exactly what they do in
 * the rows of real implementations: the same filling, checking, clock reads and calls through pointers. It is not one
 * that anybody could use: one publisher, one subscriber, no discovery worth the name, no death noticed, a CPU burnt.
 *
 * With the parameter sleep=1, for limit/futex, no CPU is burnt: the reader sleeps whenever the ring is empty, and each
 * publish wakes it, whether it sleeps or not. With gather=1 it is a stream's reader, see ring_serve(). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ipcmark/driver.h>

#include "ring.h"

struct publisher {
    struct ring *ring; /* NULL: no subscriber found yet */
    bool wake;
    char path[PATH_MAX];
};

struct subscriber {
    struct ring *ring;
    bool gather, sleep;
    int fd;
    pthread_t thread;
    atomic_bool stopping;
    ipcmark_deliver_fn *deliver;
    void *context;
    char path[PATH_MAX];
};

/* The subscriber's file says where its memory is: /proc/PID/fd/N. */
static int make_path(char path[PATH_MAX], const ipcmark_endpoint *endpoint)
{
    int length = snprintf(path, PATH_MAX, "%s/%s.ring", endpoint->directory, endpoint->channel);
    return strchr(endpoint->channel, '/') != NULL || length >= PATH_MAX ? -EINVAL : 0;
}

static int announce(const struct subscriber *subscriber)
{
    char text[64], early[PATH_MAX + 8];
    int length = snprintf(text, sizeof text, "/proc/%ld/fd/%d", (long)getpid(), subscriber->fd), fd, result = 0;

    snprintf(early, sizeof early, "%s.early", subscriber->path);
    fd = open(early, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    if (write(fd, text, (size_t)length) != length || rename(early, subscriber->path) != 0) {
        result = -EIO;
        unlink(early);
    }
    close(fd);
    return result;
}

static bool has_param(const ipcmark_endpoint *endpoint, const char *param)
{
    for (size_t i = 0; endpoint->params != NULL && endpoint->params[i] != NULL; ++i)
        if (strcmp(endpoint->params[i], param) == 0)
            return true;
    return false;
}

static void *receive(void *argument)
{
    struct subscriber *subscriber = argument;

    ring_serve(subscriber->ring, subscriber->gather, subscriber->deliver, subscriber->context, &subscriber->stopping);
    return NULL;
}

static void *receive_asleep(void *argument)
{
    struct subscriber *subscriber = argument;

    while (!atomic_load_explicit(&subscriber->stopping, memory_order_relaxed)) { /* ring_wake() makes it seen in time */
        unsigned wakes = ring_wakes(subscriber->ring);
        if (!ring_receive(subscriber->ring, subscriber->deliver, subscriber->context))
            ring_sleep(subscriber->ring, wakes);
    }
    return NULL;
}

static void stop(struct subscriber *subscriber)
{
    atomic_store_explicit(&subscriber->stopping, true, memory_order_relaxed);
    if (subscriber->sleep)
        ring_wake(subscriber->ring);
    pthread_join(subscriber->thread, NULL);
}

static int subscriber_open(void **out, const ipcmark_endpoint *endpoint, ipcmark_deliver_fn *deliver, void *context)
{
    struct subscriber *subscriber = calloc(1, sizeof *subscriber);
    int result;

    if (subscriber == NULL)
        return -ENOMEM;
    subscriber->deliver = deliver;
    subscriber->context = context;
    subscriber->fd = -1;
    subscriber->gather = has_param(endpoint, "gather=1");
    subscriber->sleep = has_param(endpoint, "sleep=1");
    if ((result = make_path(subscriber->path, endpoint)) < 0 ||
        (result = ring_memory_create(&subscriber->fd, endpoint->max_message_bytes)) < 0 ||
        (result = ring_attach(&subscriber->ring, subscriber->fd)) < 0)
        goto out;
    result = -pthread_create(&subscriber->thread, NULL, subscriber->sleep ? receive_asleep : receive, subscriber);
    if (result < 0)
        goto out;
    if ((result = announce(subscriber)) < 0) {
        stop(subscriber);
        goto out;
    }
    *out = subscriber;
    return 0;
out:
    ring_detach(subscriber->ring);
    if (subscriber->fd >= 0)
        close(subscriber->fd);
    free(subscriber);
    return result;
}

static int subscriber_peers(void *object)
{
    (void)object;
    return -ENOTSUP;
}

static void subscriber_close(void *object)
{
    struct subscriber *subscriber = object;

    if (subscriber == NULL)
        return;
    unlink(subscriber->path);
    stop(subscriber);
    ring_detach(subscriber->ring);
    close(subscriber->fd);
    free(subscriber);
}

static int read_text(const char *path, char *text, size_t text_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length;

    if (fd < 0)
        return -errno;
    length = read(fd, text, text_size - 1);
    close(fd);
    if (length <= 0)
        return -EIO;
    text[length] = '\0';
    return 0;
}

static int attach(struct publisher *publisher)
{
    char memory[64];
    int result = read_text(publisher->path, memory, sizeof memory), fd;

    if (result < 0)
        return result;
    fd = open(memory, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    result = ring_attach(&publisher->ring, fd);
    close(fd);
    return result;
}

static int publisher_open(void **out, const ipcmark_endpoint *endpoint)
{
    struct publisher *publisher = calloc(1, sizeof *publisher);
    int result = publisher == NULL ? -ENOMEM : make_path(publisher->path, endpoint);

    if (result < 0) {
        free(publisher);
        return result;
    }
    publisher->wake = has_param(endpoint, "sleep=1");
    *out = publisher;
    return 0;
}

static int publish(void *object, const ipcmark_part *parts, size_t count)
{
    struct publisher *publisher = object;
    int result;

    if (count != 1)
        return -EINVAL;
    if (publisher->ring == NULL)
        return 0;
    result = ring_publish(publisher->ring, parts->data, parts->size);
    if (publisher->wake && result == 0)
        ring_wake(publisher->ring);
    return result;
}

static int publisher_peers(void *object)
{
    struct publisher *publisher = object;
    return publisher->ring != NULL || attach(publisher) == 0;
}

static void publisher_close(void *object)
{
    struct publisher *publisher = object;

    if (publisher != NULL)
        ring_detach(publisher->ring);
    free(publisher);
}

static const ipcmark_driver driver = {
    .abi = IPCMARK_DRIVER_ABI,
    .size = sizeof(ipcmark_driver),
    .name = "bare-ring",
    .version = IPCMARK_VERSION,
    .summary = "The least that a message through shared memory costs; a limit, not an implementation",
    /* threads: claimed so that no lock is taken around publish; there is only one publishing thread in these rows */
    .capabilities =
        IPCMARK_CAP_PEERS | IPCMARK_CAP_THREADS | IPCMARK_CAP_PUBLISH_IN_HANDLER | IPCMARK_CAP_WHEN_FULL_BLOCK,
    .max_message_bytes = RING_MESSAGE_MOST,
    .max_publishers = 1,
    .max_subscribers = 1,
    .publisher_open = publisher_open,
    .publish = publish,
    .publisher_peers = publisher_peers,
    .publisher_close = publisher_close,
    .subscriber_open = subscriber_open,
    .subscriber_peers = subscriber_peers,
    .subscriber_close = subscriber_close,
};

const ipcmark_driver *ipcmark_driver_get(void)
{
    return &driver;
}
