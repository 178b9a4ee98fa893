/* The bare ring: limits/ring.h. Its reader spins on a thread of its own, and hands messages over in place. */
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../limits/ring.h"

struct receiver {
    struct ring *ring;
    bool gather;
    int fd;
    pthread_t thread;
    atomic_bool stopping;
    message_handler *handler;
    void *user;
    char path[PATH_MAX];
};

static void deliver(void *context, const ipcmark_part *parts, size_t count)
{
    struct receiver *receiver = context;
    (void)count;
    receiver->handler(receiver->user, parts[0].data, parts[0].size);
}

static void *receive(void *argument)
{
    struct receiver *receiver = argument;

    ring_serve(receiver->ring, receiver->gather, deliver, receiver, &receiver->stopping);
    return NULL;
}

static void receiver_free(struct receiver *receiver)
{
    ring_detach(receiver->ring);
    if (receiver->fd >= 0)
        close(receiver->fd);
    free(receiver);
}

/* The sender finds the memory by a link to our descriptor. */
static int receiver_open(void **out, const struct place *place, message_handler *handler, void *user)
{
    struct receiver *receiver = calloc(1, sizeof *receiver);
    char memory[64];
    int result;

    if (receiver == NULL)
        return -ENOMEM;
    receiver->fd = -1;
    receiver->gather = place->gather;
    receiver->handler = handler;
    receiver->user = user;
    if ((result = place_path(receiver->path, sizeof receiver->path, place)) < 0 ||
        (result = ring_memory_create(&receiver->fd, place->message_bytes)) < 0 ||
        (result = ring_attach(&receiver->ring, receiver->fd)) < 0)
        goto out;
    snprintf(memory, sizeof memory, "/proc/%ld/fd/%d", (long)getpid(), receiver->fd);
    if (symlink(memory, receiver->path) != 0) {
        result = -errno;
        goto out;
    }
    if ((result = -pthread_create(&receiver->thread, NULL, receive, receiver)) < 0)
        unlink(receiver->path);
out:
    if (result < 0)
        receiver_free(receiver);
    else
        *out = receiver;
    return result;
}

static void receiver_close(void *object)
{
    struct receiver *receiver = object;
    unlink(receiver->path);
    atomic_store_explicit(&receiver->stopping, true, memory_order_relaxed);
    pthread_join(receiver->thread, NULL);
    receiver_free(receiver);
}

static int sender_open(void **out, const struct place *place)
{
    char path[PATH_MAX];
    struct ring *ring;
    int result = place_path(path, sizeof path, place), fd;

    if (result < 0)
        return result;
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    result = ring_attach(&ring, fd);
    close(fd);
    if (result == 0)
        *out = ring;
    return result;
}

static int send_message(void *object, const void *data, size_t size)
{
    return ring_publish(object, data, size);
}

static void sender_close(void *object)
{
    ring_detach(object);
}

const struct transport transport_ring = {"bare-ring", receiver_open, receiver_close,
                                         sender_open, send_message,  sender_close};
