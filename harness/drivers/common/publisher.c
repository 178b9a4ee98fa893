#include "publisher.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "ahead.h"
#include "peer.h"

enum { WAIT_MAX = 256 };

void peer_free(struct peer *peer)
{
    link_close(&peer->link);
    free(peer);
}

void peer_list_free(struct peer **list)
{
    while (*list != NULL) {
        struct peer *peer = *list;
        *list = peer->next;
        peer_free(peer);
    }
}

static void destroy(struct publisher *publisher)
{
    callers_await(&publisher->callers);
    peer_list_free(&publisher->peers);
    peer_list_free(&publisher->dropped);
    directory_close(&publisher->directory);
    if (publisher->epoll >= 0)
        close(publisher->epoll);
    if (publisher->bell >= 0)
        close(publisher->bell);
    if (publisher->retry >= 0)
        close(publisher->retry);
    pthread_cond_destroy(&publisher->turn);
    pthread_mutex_destroy(&publisher->lock);
    free(publisher);
}

static int open_events(struct publisher *publisher)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = publisher};
    publisher->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (publisher->epoll < 0)
        return -errno;
    publisher->bell = bell_open();
    if (publisher->bell < 0)
        return publisher->bell;
    publisher->retry = bell_open();
    if (publisher->retry < 0)
        return publisher->retry;
    return epoll_ctl(publisher->epoll, EPOLL_CTL_ADD, publisher->bell, &event) < 0 ? -errno : 0;
}

int publisher_open(void **out, const ipcmark_endpoint *endpoint, const struct transport *transport)
{
    struct publisher *publisher = calloc(1, sizeof *publisher);
    int result;
    if (publisher == NULL)
        return -ENOMEM;
    publisher->transport = transport;
    publisher->directory.fd = publisher->epoll = publisher->bell = publisher->retry = -1;
    pthread_mutex_init(&publisher->lock, NULL);
    pthread_cond_init(&publisher->turn, NULL);
    callers_init(&publisher->callers);
    result = endpoint_copy(&publisher->endpoint, endpoint);
    if (result < 0)
        goto out;
    result = directory_open(&publisher->directory, endpoint->directory, transport->name, transport->file_type);
    if (result < 0)
        goto out;
    result = open_events(publisher);
    if (result < 0)
        goto out;
    result = thread_start(&publisher->thread, discovery_run, publisher);
out:
    if (result < 0) {
        destroy(publisher);
        return result;
    }
    *out = publisher;
    return 0;
}

/* Gives one peer as much of the frame as it takes now. */
static void peer_send(const struct publisher *publisher, struct peer *peer, const struct frame *frame)
{
    struct iovec vector[IOV_MAX];
    while (peer->owed > 0) {
        int count = frame_vector(frame, frame->size - peer->owed, vector, IOV_MAX);
        ssize_t sent = publisher->transport->send(peer->link.out, vector, count);
        if (sent >= 0) {
            peer->owed -= (size_t)sent;
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR) {
            peer->broken = true;
            peer->owed = 0;
            bell_ring(publisher->bell);
        }
    }
}

/* Gives every peer what it takes now; true if some could not take all. */
static bool send_round(const struct publisher *publisher, const struct frame *frame)
{
    bool blocked = false;
    for (struct peer *peer = publisher->peers; peer != NULL; peer = peer->next) {
        if (peer->owed > 0)
            peer_send(publisher, peer, frame);
        blocked = blocked || peer->owed > 0;
    }
    return blocked;
}

/* Waits, without the lock, until a blocked peer has room or is dropped, or the publisher is closed. */
static void wait_for_room(struct publisher *publisher)
{
    struct pollfd waits[WAIT_MAX] = {{.fd = publisher->retry, .events = POLLIN}};
    nfds_t count = 1;
    bool all = true;
    for (const struct peer *peer = publisher->peers; peer != NULL; peer = peer->next) {
        if (peer->owed == 0)
            continue;
        if (count < WAIT_MAX)
            waits[count++] = (struct pollfd){.fd = peer->link.out, .events = POLLOUT};
        else
            all = false;
    }
    pthread_mutex_unlock(&publisher->lock);
    poll(waits, count, all ? -1 : 10); /* those that did not fit are tried again soon */
    bell_clear(publisher->retry);
    pthread_mutex_lock(&publisher->lock);
}

static int send_to_all(struct publisher *publisher, const struct frame *frame)
{
    for (struct peer *peer = publisher->peers; peer != NULL; peer = peer->next)
        peer->owed = peer->state == PEER_READY && !peer->broken ? frame->size : 0;
    if (!send_round(publisher, frame))
        return 0;
    bool blocked = true;
    publisher->publishing = true;
    ahead_wait_begin();
    while (blocked && !callers_refused(&publisher->callers)) {
        wait_for_room(publisher);
        blocked = send_round(publisher, frame);
    }
    ahead_wait_end();
    publisher->publishing = false;
    peer_list_free(&publisher->dropped);
    pthread_cond_broadcast(&publisher->turn);
    return blocked ? -ESHUTDOWN : 0;
}

static void wait_for_turn(struct publisher *publisher)
{
    ahead_wait_begin();
    while (publisher->publishing && !callers_refused(&publisher->callers))
        pthread_cond_wait(&publisher->turn, &publisher->lock);
    ahead_wait_end();
}

int publisher_publish(void *handle, const ipcmark_part *parts, size_t count)
{
    struct publisher *publisher = handle;
    struct frame frame;
    if (!callers_enter(&publisher->callers))
        return -ESHUTDOWN;
    int result = frame_begin(&frame, parts, count, publisher->endpoint.max_bytes);
    if (result == 0) {
        pthread_mutex_lock(&publisher->lock);
        if (publisher->publishing)
            wait_for_turn(publisher);
        result = callers_refused(&publisher->callers) ? -ESHUTDOWN : send_to_all(publisher, &frame);
        pthread_mutex_unlock(&publisher->lock);
        frame_end(&frame);
    }
    callers_leave(&publisher->callers);
    return result;
}

int publisher_peers(void *handle)
{
    struct publisher *publisher = handle;
    int count = 0;
    if (!callers_enter(&publisher->callers))
        return 0;
    pthread_mutex_lock(&publisher->lock);
    for (const struct peer *peer = publisher->peers; peer != NULL; peer = peer->next)
        count += peer->state == PEER_READY && !peer->broken;
    pthread_mutex_unlock(&publisher->lock);
    callers_leave(&publisher->callers);
    return count;
}

void publisher_close(void *handle)
{
    struct publisher *publisher = handle;
    if (publisher == NULL)
        return;
    callers_refuse(&publisher->callers);
    bell_ring(publisher->bell);
    bell_ring(publisher->retry);
    pthread_mutex_lock(&publisher->lock);
    pthread_cond_broadcast(&publisher->turn);
    pthread_mutex_unlock(&publisher->lock);
    pthread_join(publisher->thread, NULL);
    destroy(publisher);
}
