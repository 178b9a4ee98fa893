/* The subscriber's side of a pair's life: the handshake, handing over to the receiving side, the end. Control thread.
 */
#include "os/os.h"
#include "status.h"
#include "subscriber.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_UNFINISHED = 32 }; /* handshakes with one process, or one other user; each holds two descriptors */

static struct mmipc_subscriber *subscriber_of(struct endpoint *endpoint)
{
    return (struct mmipc_subscriber *)(void *)endpoint; /* its first member */
}

static struct inlet *inlet_of(struct peer *peer)
{
    return (struct inlet *)(void *)peer; /* its first member */
}

static void not_looked_for(struct endpoint *endpoint, const unsigned char *id)
{
    directory_ignore(&subscriber_of(endpoint)->memory, id); /* publishers come to us; we look for the dead only */
}

static void scan(struct endpoint *endpoint, bool whole)
{
    if (whole)
        directory_scan(endpoint, &subscriber_of(endpoint)->memory, whole, NULL, not_looked_for);
}

static struct inlet *create(void)
{
    struct inlet *inlet = calloc(1, sizeof *inlet);
    if (inlet == NULL)
        return NULL;
    inlet->wake_event = inlet->room_event = -1;
    inlet->references = 1;
    inlet->generation = atomic_load_explicit(&os_fork_generation, memory_order_relaxed); /* relaxed: as everywhere */
    pthread_mutex_init(&inlet->lock, NULL);
    return inlet;
}

/* With the inlet's lock held. */
void inlet_unlock_or_free(struct inlet *inlet)
{
    const bool last = inlet->references == 0;
    pthread_mutex_unlock(&inlet->lock);
    if (!last)
        return;
    if (inlet->peer.socket.fd >= 0)
        os_close(inlet->peer.socket.fd); /* tells the publisher that its memory is not looked at any more */
    inlet_unmap(inlet);
    os_memory_unmap((void *)(uintptr_t)inlet->theirs, LAYOUT_PAGE_BYTES, 0);
    os_memory_unmap(inlet->ours, LAYOUT_PAGE_BYTES, 0);
    pthread_mutex_destroy(&inlet->lock);
    free(inlet);
}

static void destroy(struct peer *peer)
{
    struct inlet *inlet = inlet_of(peer);
    notifier_unreserve(&peer->reserved);
    pthread_mutex_lock(&inlet->lock);
    inlet->closed = true;
    os_close(inlet->wake_event);
    os_close(inlet->room_event);
    inlet->references--;
    inlet_unlock_or_free(inlet);
}

/* One process, or one other user, must not use up our descriptors with callers that say nothing. */
static bool one_too_many(const struct endpoint *endpoint, const struct peer *caller)
{
    int unfinished = 0;
    for (const struct peer *peer = endpoint->peers; peer != NULL; peer = peer->next)
        unfinished += peer->state == PEER_GREETING &&
                      (peer->pid == caller->pid || (peer->uid == caller->uid && caller->uid != geteuid()));
    /* 0 is everybody in another PID namespace: a whole machine of containers, perhaps. */
    return unfinished > (caller->pid == 0 ? 8 : 1) * MOST_UNFINISHED;
}

static void accepted(struct endpoint *endpoint, int fd)
{
    struct inlet *inlet = create();
    int error;
    if (inlet == NULL) {
        os_close(fd);
        return;
    }
    error = peer_open(endpoint, &inlet->peer, fd);
    if (error == 0) {
        inlet->peer.next = endpoint->peers;
        endpoint->peers = &inlet->peer;
        if (one_too_many(endpoint, &inlet->peer))
            peer_reject(endpoint, &inlet->peer, WIRE_BUSY); /* an honest one tries again */
        return;
    }
    endpoint_log(endpoint, LOG_WARNING, "refused process %d: %s", inlet->peer.pid,
                 error == -EACCES   ? wire_reason_text(WIRE_USER)
                 : error == -ELOOP  ? wire_reason_text(WIRE_SELF)
                 : error == -EAGAIN ? "on_peer lags thousands of events behind"
                                    : mmipc_strerror(error));
    destroy(&inlet->peer);
}

static int map_page(struct inlet *inlet, int fd)
{
    const struct writer_page *page;
    void *base;
    int error = os_memory_check(fd, LAYOUT_PAGE_BYTES);
    if (error == 0)
        error = os_memory_map(fd, LAYOUT_PAGE_BYTES, 0, false, &base);
    if (error != 0)
        return error;
    inlet->theirs = page = base;
    return page->magic == LAYOUT_WRITER_MAGIC && page->version == LAYOUT_VERSION &&
                   page->fingerprint == layout_fingerprint()
               ? 0
               : -EPROTO;
}

static int make_page(struct inlet *inlet, int *out)
{
    struct reader_page *page;
    void *base;
    int error, fd = os_memory_create(LAYOUT_PAGE_BYTES);
    if (fd < 0)
        return fd;
    error = os_memory_map(fd, LAYOUT_PAGE_BYTES, 0, true, &base);
    if (error != 0) {
        os_close(fd);
        return error;
    }
    inlet->ours = page = base;
    inlet->ring.tail = &page->tail;
    page->magic = LAYOUT_READER_MAGIC;
    page->version = LAYOUT_VERSION;
    page->fingerprint = layout_fingerprint();
    error = os_memory_seal(fd);
    if (error != 0) {
        os_close(fd);
        return error;
    }
    *out = fd;
    return 0;
}

static int send_welcome(struct endpoint *endpoint, struct inlet *inlet)
{
    struct wire_message welcome;
    int fds[2], error = make_page(inlet, &fds[0]);
    if (error != 0)
        return error;
    inlet->wake_event = os_wake_create(&fds[1]);
    wire_prepare(&welcome, WIRE_WELCOME);
    welcome.capabilities = endpoint->capabilities | (subscriber_of(endpoint)->on_message != NULL ? WIRE_DELIVERS : 0u);
    welcome.ping_interval_ms = endpoint->options.ping_interval_ms;
    memcpy(welcome.subscriber, endpoint->id, ID_BYTES);
    error = inlet->wake_event < 0 ? inlet->wake_event : wire_send(inlet->peer.socket.fd, &welcome, fds, 2);
    os_close(fds[0]);
    if (inlet->wake_event >= 0)
        os_close(fds[1]);
    return error;
}

/* The reason to refuse a HELLO, 0 if there is none. */
static uint32_t objection(struct endpoint *endpoint, const struct peer *caller, const struct wire_message *hello)
{
    if (memcmp(hello->subscriber, endpoint->id, ID_BYTES) != 0 || strcmp(hello->channel, endpoint->channel) != 0)
        return WIRE_CHANNEL;
    for (const struct peer *peer = endpoint->peers; peer != NULL; peer = peer->next)
        if (peer != caller && peer->pid == caller->pid && memcmp(peer->id, hello->publisher, ID_BYTES) == 0)
            return WIRE_BUSY; /* the old pair comes first: nothing twice, nothing out of order. An impostor is no pair.
                               */
    return 0;
}

static int take_hello(struct endpoint *endpoint, struct inlet *inlet, const struct wire_message *hello)
{
    struct wire_message accept;
    memcpy(inlet->peer.id, hello->publisher, ID_BYTES);
    inlet->peer.interval_ms = hello->ping_interval_ms;
    inlet->fence = (endpoint->capabilities & WIRE_CAN_BE_FENCED) == 0 || (hello->capabilities & WIRE_CAN_FENCE) == 0;
    inlet->greeted = true;
    wire_prepare(&accept, WIRE_ACCEPT);
    return wire_send(inlet->peer.socket.fd, &accept, NULL, 0);
}

static int take_ring(struct endpoint *endpoint, struct inlet *inlet, const struct wire_message *ring, int *fds,
                     int count)
{
    bool awaited;
    int error;
    if (count != 3)
        return -EPROTO;
    error = os_wake_check(fds[2]);
    if (error == 0)
        error = map_page(inlet, fds[0]);
    if (error == 0)
        error = inlet_arrived(inlet, ring, fds[1], &awaited);
    if (error == 0)
        error = inlet_enter_first_ring(inlet);
    if (error != 0)
        return error;
    inlet->room_event = fds[2];
    fds[2] = -1;
    inlet->peer.deadline_ns = INT64_MAX; /* from WELCOME on it may publish to us: only its hang-up ends the pair */
    return send_welcome(endpoint, inlet);
}

/* The publisher has the pair on its list: the receiving side takes it over. */
static int take_start(struct endpoint *endpoint, struct inlet *inlet)
{
    struct mmipc_subscriber *subscriber = subscriber_of(endpoint);
    bool has_room;
    if (inlet->ours == NULL)
        return -EPROTO;
    pthread_mutex_lock(&subscriber->handover);
    has_room = receive_make_room(&subscriber->added, subscriber->added_count, &subscriber->added_capacity);
    if (has_room) {
        subscriber->added[subscriber->added_count++] = inlet;
        flag_set(&inlet->handed_over, 1);
    }
    pthread_mutex_unlock(&subscriber->handover);
    if (!has_room)
        return -ENOMEM;
    receive_look_up(subscriber);
    peer_connected(endpoint, &inlet->peer, &inlet->theirs->heartbeat, inlet->peer.interval_ms);
    return 0;
}

static void message(struct endpoint *endpoint, struct peer *peer, const struct wire_message *message, int *fds,
                    int count)
{
    struct inlet *inlet = inlet_of(peer);
    bool awaited = false;
    int error = -EPROTO;
    if (message->type == WIRE_STATUS && peer->state == PEER_GREETING && !inlet->greeted) {
        status_answer(endpoint, peer->socket.fd);
        peer_drop(endpoint, peer, MMIPC_REASON_NONE, 0);
        return;
    }
    if (message->type == WIRE_REJECT && peer->state == PEER_GREETING) {
        peer_refused(endpoint, peer, message);
        return;
    }
    if (peer->state == PEER_GREETING && !wire_same_version(message)) {
        peer_reject(endpoint, peer, WIRE_VERSION_DIFFERS);
        return;
    }
    if (message->type == WIRE_HELLO && peer->state == PEER_GREETING && !inlet->greeted) {
        uint32_t reason = objection(endpoint, peer, message);
        if (reason != 0) {
            peer_reject(endpoint, peer, reason);
            return;
        }
        error = take_hello(endpoint, inlet, message);
    } else if (message->type == WIRE_RING && peer->state == PEER_GREETING && inlet->greeted && inlet->theirs == NULL) {
        error = take_ring(endpoint, inlet, message, fds, count);
    } else if (message->type == WIRE_START && peer->state == PEER_GREETING) {
        error = take_start(endpoint, inlet);
    } else if ((message->type == WIRE_NEXT || message->type == WIRE_PAYLOAD) && inlet->ours != NULL && count == 1) {
        error = inlet_arrived(inlet, message, fds[0], &awaited); /* perhaps before START: we are on its list already */
        inlet->missing = error;
        if (awaited)
            receive_look_up(subscriber_of(endpoint));
    }
    if (error == 0 || error == -EPIPE || error == -ECONNRESET) /* the last two: it hung up, which is noticed next */
        return;
    endpoint_log(endpoint, LOG_WARNING, "pair with process %d closed: %s", peer->pid, mmipc_strerror(error));
    peer_fail(endpoint, peer, peer_reason(error));
}

static void heartbeat(struct endpoint *endpoint, struct peer *peer)
{
    shared_u64 *counter = &inlet_of(peer)->ours->heartbeat;
    (void)endpoint;
    shared_store_relaxed(counter, shared_load_relaxed(counter) + 1); /* relaxed: carries nothing */
}

/* Killed between putting us on its list and saying START, it may have published: its ring tells. */
static void last_words(struct endpoint *endpoint, struct peer *peer)
{
    struct inlet *inlet = inlet_of(peer);
    if (peer->state == PEER_GREETING && inlet->ours != NULL && ring_ready(&inlet->ring))
        take_start(endpoint, inlet);
}

void inlet_condemn(struct mmipc_subscriber *subscriber, struct inlet *inlet, int error)
{
    endpoint_log(&subscriber->endpoint, LOG_WARNING, "pair with process %d closed, its messages cannot be read: %s",
                 inlet->peer.pid, mmipc_strerror(error));
    inlet->condemned = true;
    flag_set(&inlet->peer.verdict, peer_reason(error));
    endpoint_kick(&subscriber->endpoint);
}

/* The socket stays open until the last message is freed. */
static enum peer_socket dropped(struct endpoint *endpoint, struct peer *peer)
{
    struct inlet *inlet = inlet_of(peer);
    /* R5 release: pairs with A5 in give_back_if_drained(): the socket hung up after the last commit */
    atomic_store_explicit(&inlet->hung_up, 1, memory_order_release);
    if (flag_get(&inlet->handed_over))
        receive_look_up(subscriber_of(endpoint));
    return PEER_SOCKET_KEEP;
}

static bool idle(struct endpoint *endpoint, struct peer *peer)
{
    const struct inlet *inlet = inlet_of(peer);
    (void)endpoint;
    /* A6 acquire: pairs with R6 in give_back_if_drained() */
    return !flag_get(&inlet->handed_over) || atomic_load_explicit(&inlet->drained, memory_order_acquire);
}

static void describe(struct endpoint *endpoint, struct status *status)
{
    for (const struct peer *peer = endpoint->peers; peer != NULL; peer = peer->next)
        status_add_pair(status, peer, 0);
}

const struct role subscriber_role = {.name = "subscriber",
                                     .scan = scan,
                                     .accepted = accepted,
                                     .message = message,
                                     .heartbeat = heartbeat,
                                     .last_words = last_words,
                                     .dropped = dropped,
                                     .idle = idle,
                                     .destroy = destroy,
                                     .describe = describe};
