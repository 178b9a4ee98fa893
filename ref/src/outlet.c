/* The publisher's side of a pair's life: finding a subscriber, the handshake, the list, the end. Control thread. */
#include "os/os.h"
#include "publisher.h"
#include "status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct mmipc_publisher *publisher_of(struct endpoint *endpoint)
{
    return (struct mmipc_publisher *)(void *)endpoint; /* its first member */
}

static struct outlet *outlet_of(struct peer *peer)
{
    return (struct outlet *)(void *)peer; /* its first member */
}

/* Each time in a row twice as late, until the ticks take over. */
static void look_again_soon(struct endpoint *endpoint)
{
    struct mmipc_publisher *publisher = publisher_of(endpoint);
    endpoint->rescan_ns = os_now_ns() + publisher->retry_ns;
    if (publisher->retry_ns < control_interval_ns(endpoint))
        publisher->retry_ns *= 2;
}

static int send_hello(struct endpoint *endpoint, struct outlet *outlet)
{
    struct wire_message hello;
    wire_prepare(&hello, WIRE_HELLO);
    hello.capabilities = endpoint->capabilities;
    hello.ping_interval_ms = endpoint->options.ping_interval_ms;
    memcpy(hello.publisher, endpoint->id, ID_BYTES);
    memcpy(hello.subscriber, outlet->peer.id, ID_BYTES);
    memcpy(hello.channel, endpoint->channel, sizeof hello.channel);
    return wire_send(outlet->peer.socket.fd, &hello, NULL, 0);
}

/* The subscriber wants the pair: only now is memory spent on it. */
static int send_ring(struct endpoint *endpoint, struct outlet *outlet)
{
    const struct mmipc_publisher *publisher = publisher_of(endpoint);
    struct wire_message ring;
    int fds[3], waker, error = outlet->room_event = os_wake_create(&waker);
    if (error < 0)
        return error;
    error = chain_open(outlet, publisher->first_ring_bytes, publisher->first_limit, fds);
    if (error != 0) {
        os_close(waker);
        return error;
    }
    fds[2] = waker;
    wire_prepare(&ring, WIRE_RING);
    ring.bytes = outlet->ring.size;
    ring.name = outlet->ring.key;
    error = wire_send(outlet->peer.socket.fd, &ring, fds, 3);
    os_close(fds[0]);
    os_close(fds[1]);
    os_close(waker);
    return error;
}

/* Do the pairs that there are leave room for another? */
static bool may_pair(struct endpoint *endpoint)
{
    struct mmipc_publisher *publisher = publisher_of(endpoint);
    size_t used = publisher->first_ring_bytes;
    gate_enter_locked(&publisher->gate, false);
    used += publisher->ring_bytes + publisher->pool.bytes;
    gate_leave_locked(&publisher->gate);
    for (const struct peer *peer = endpoint->peers; peer != NULL; peer = peer->next)
        used += peer->state == PEER_GREETING ? publisher->first_ring_bytes : 0;
    return used <= publisher->max_total;
}

static void destroy(struct peer *peer)
{
    struct outlet *outlet = outlet_of(peer);
    notifier_unreserve(&peer->reserved);
    os_close(peer->socket.fd);
    os_close(peer->process.fd);
    chain_close(outlet);
    os_memory_unmap((void *)(uintptr_t)outlet->theirs, LAYOUT_PAGE_BYTES, 0);
    os_close(outlet->room_event);
    os_close(outlet->wake_event);
    pthread_cond_destroy(&outlet->woken);
    pthread_mutex_destroy(&outlet->wait_lock);
    free(outlet);
}

static struct outlet *create(const unsigned char *id)
{
    struct outlet *outlet = calloc(1, sizeof *outlet);
    if (outlet == NULL)
        return NULL;
    if (thread_cond_init(&outlet->woken) != 0) {
        free(outlet);
        return NULL;
    }
    pthread_mutex_init(&outlet->wait_lock, NULL);
    outlet->nearest = UINT64_MAX;
    outlet->room_event = outlet->wake_event = -1;
    memcpy(outlet->peer.id, id, ID_BYTES);
    return outlet;
}

/* Does the process still hold memory of a pair that was dropped as full? Else it could come back for more and more. */
static bool lingers(const struct endpoint *endpoint, int pid)
{
    for (const struct peer *peer = endpoint->peers; peer != NULL; peer = peer->next)
        if (peer->state == PEER_GONE && peer->socket.fd >= 0 && pid != 0 && peer->pid == pid &&
            flag_get(&peer->verdict) == MMIPC_REASON_FULL)
            return true;
    return false;
}

/* A waiting subscriber of our channel: connect and say HELLO. */
static void found(struct endpoint *endpoint, const unsigned char *id)
{
    struct mmipc_publisher *publisher = publisher_of(endpoint);
    char name[SLOT_NAME_BYTES];
    struct outlet *outlet;
    int error, fd;
    if (!may_pair(endpoint)) {
        directory_hinder(&publisher->memory, "max_total_bytes is used up");
        return;
    }
    slot_socket_name(id, name);
    fd = os_socket_connect(endpoint->directory, name);
    if (fd == -EACCES)
        directory_ignore(&publisher->memory, id); /* another user's */
    else if (fd == -EAGAIN)
        look_again_soon(endpoint);                           /* many callers at once */
    else if (fd < 0 && fd != -ENOENT && fd != -ECONNREFUSED) /* it is not just coming or going */
        directory_hinder(&publisher->memory, mmipc_strerror(fd));
    if (fd < 0)
        return;
    outlet = create(id);
    if (outlet == NULL) {
        directory_hinder(&publisher->memory, mmipc_strerror(-ENOMEM));
        os_close(fd);
        return;
    }
    error = peer_open(endpoint, &outlet->peer, fd);
    if (error == 0 && lingers(endpoint, outlet->peer.pid))
        error = -EAGAIN;
    if (error == -ELOOP || error == -EACCES)
        directory_ignore(&publisher->memory, id); /* ourselves, or another user */
    if (error == 0)
        error = send_hello(endpoint, outlet);
    if (error == 0) {
        outlet->peer.next = endpoint->peers;
        endpoint->peers = &outlet->peer;
        return;
    }
    if (error == -EAGAIN)
        look_again_soon(endpoint);
    else if (error != -ELOOP)
        endpoint_log(endpoint, LOG_WARNING, "process %d cannot be connected to: %s", outlet->peer.pid,
                     error == -EACCES ? wire_reason_text(WIRE_USER) : mmipc_strerror(error));
    peer_close(endpoint, &outlet->peer);
    destroy(&outlet->peer);
}

static bool is_peer(struct endpoint *endpoint, const unsigned char *id)
{
    for (const struct peer *peer = endpoint->peers; peer != NULL; peer = peer->next)
        if (peer->state != PEER_GONE && memcmp(peer->id, id, ID_BYTES) == 0)
            return true;
    return false;
}

static void scan(struct endpoint *endpoint, bool whole)
{
    directory_scan(endpoint, &publisher_of(endpoint)->memory, whole, is_peer, found);
}

/* What the subscriber has not yet read. Its word for it is looked at once, and believed only if it can be true. */
static uint64_t unread(const struct outlet *outlet)
{
    const uint64_t head = outlet->ring.head, end = chain_messages_end(outlet), seen = outlet->ring.seen;
    /* relaxed: only told, nothing is written over */
    const uint64_t theirs = shared_load_relaxed(&outlet->theirs->tail);
    const uint64_t tail = theirs < seen || theirs > head ? seen : theirs;
    return (tail < end ? end - tail : 0) + chain_owed_above(outlet, tail);
}

/* Inside the gate, so that heads stand still: only who asks pays for it. */
static void describe(struct endpoint *endpoint, struct status *status)
{
    struct mmipc_publisher *publisher = publisher_of(endpoint);
    gate_enter_locked(&publisher->gate, false);
    for (struct peer *peer = endpoint->peers; peer != NULL; peer = peer->next)
        status_add_pair(status, peer, outlet_of(peer)->listed ? unread(outlet_of(peer)) : 0);
    gate_leave_locked(&publisher->gate);
}

static int list_outlet(struct mmipc_publisher *publisher, struct outlet *outlet)
{
    int error = 0;
    gate_enter_locked(&publisher->gate, false);
    if (publisher->outlet_count == publisher->outlet_capacity) {
        size_t capacity = publisher->outlet_capacity == 0 ? 8 : 2 * publisher->outlet_capacity;
        struct outlet **grown = realloc(publisher->outlets, capacity * sizeof(struct outlet *));
        if (grown == NULL)
            error = -ENOMEM;
        else {
            publisher->outlets = grown;
            publisher->outlet_capacity = capacity;
        }
    }
    if (error == 0) {
        publisher->outlets[publisher->outlet_count++] = outlet;
        publisher->ring_bytes += outlet->ring.size;
        outlet->listed = outlet->counted = true;
    }
    gate_leave_locked(&publisher->gate);
    return error;
}

static int map_page(struct outlet *outlet, int fd)
{
    const struct reader_page *page;
    void *base;
    int error = os_memory_check(fd, LAYOUT_PAGE_BYTES);
    if (error == 0)
        error = os_memory_map(fd, LAYOUT_PAGE_BYTES, 0, false, &base);
    if (error != 0)
        return error;
    outlet->theirs = page = base;
    outlet->ring.peer_tail = &page->tail;
    return page->magic == LAYOUT_READER_MAGIC && page->version == LAYOUT_VERSION &&
                   page->fingerprint == layout_fingerprint()
               ? 0
               : -EPROTO;
}

/* The subscriber is ready: from the moment the outlet is on the list it misses nothing. */
static int take_welcome(struct endpoint *endpoint, struct outlet *outlet, const struct wire_message *welcome, int *fds,
                        int count)
{
    struct wire_message start;
    int error;
    if (count != 2 || outlet->ours == NULL || outlet->theirs != NULL ||
        memcmp(welcome->subscriber, outlet->peer.id, ID_BYTES) != 0)
        return -EPROTO;
    error = map_page(outlet, fds[0]);
    if (error == 0)
        error = os_wake_check(fds[1]);
    if (error != 0)
        return error;
    outlet->wake_event = fds[1];
    fds[1] = -1;
    outlet->delivers = (welcome->capabilities & WIRE_DELIVERS) != 0;
    outlet->fence = (endpoint->capabilities & WIRE_CAN_BE_FENCED) == 0 || (welcome->capabilities & WIRE_CAN_FENCE) == 0;
    spin_open(&outlet->spin, endpoint->options.spin_us, endpoint->load, endpoint->processors);
    error = list_outlet(publisher_of(endpoint), outlet);
    if (error != 0)
        return error;
    publisher_of(endpoint)->retry_ns = FIRST_RETRY_NS;
    wire_prepare(&start, WIRE_START);
    error = wire_send(outlet->peer.socket.fd, &start, NULL, 0);
    if (error == 0) /* last: who waited for it may publish and be stopped at once, and START must be on its way then */
        peer_connected(endpoint, &outlet->peer, &outlet->theirs->heartbeat, welcome->ping_interval_ms);
    return error;
}

static void refused(struct endpoint *endpoint, struct outlet *outlet, const struct wire_message *message)
{
    if (message->reason == WIRE_BUSY && wire_same_version(message))
        look_again_soon(endpoint);
    else
        directory_ignore(&publisher_of(endpoint)->memory, outlet->peer.id);
    peer_refused(endpoint, &outlet->peer, message);
}

static void message(struct endpoint *endpoint, struct peer *peer, const struct wire_message *message, int *fds,
                    int count)
{
    struct outlet *outlet = outlet_of(peer);
    int error = -EPROTO;
    if (message->type == WIRE_REJECT && peer->state == PEER_GREETING) {
        refused(endpoint, outlet, message);
        return;
    }
    if (peer->state == PEER_GREETING && !wire_same_version(message)) {
        directory_ignore(&publisher_of(endpoint)->memory, peer->id);
        peer_reject(endpoint, peer, WIRE_VERSION_DIFFERS);
        return;
    }
    if (message->type == WIRE_ACCEPT && peer->state == PEER_GREETING && outlet->ours == NULL)
        error = send_ring(endpoint, outlet);
    if (message->type == WIRE_WELCOME && peer->state == PEER_GREETING)
        error = take_welcome(endpoint, outlet, message, fds, count);
    if (error == 0 || error == -EPIPE || error == -ECONNRESET) /* the last two: it hung up, which is noticed next */
        return;
    endpoint_log(endpoint, LOG_WARNING, "handshake with process %d failed: %s", peer->pid, mmipc_strerror(error));
    peer_fail(endpoint, peer, peer_reason(error));
}

static void heartbeat(struct endpoint *endpoint, struct peer *peer)
{
    shared_u64 *counter = &outlet_of(peer)->ours->heartbeat;
    (void)endpoint;
    shared_store_relaxed(counter, shared_load_relaxed(counter) + 1); /* relaxed: carries nothing */
}

static void suspend(struct endpoint *endpoint, struct peer *peer, bool suspended)
{
    flag_set(&outlet_of(peer)->suspended, suspended);
    nudge_give(&publisher_of(endpoint)->nudge); /* whoever waits for it decides anew */
}

static void unlist(struct mmipc_publisher *publisher, struct outlet *outlet)
{
    for (size_t i = 0; i < publisher->outlet_count; ++i) {
        if (publisher->outlets[i] == outlet) {
            publisher->outlets[i] = publisher->outlets[--publisher->outlet_count];
            outlet->listed = false;
            break;
        }
    }
}

/* It may be alive and read on: payload that its records refer to must stay as it is, and its memory counts, until it
 * has hung up. */
static enum peer_socket dropped(struct endpoint *endpoint, struct peer *peer)
{
    struct mmipc_publisher *publisher = publisher_of(endpoint);
    struct outlet *outlet = outlet_of(peer);
    bool is_read;
    gate_enter_locked(&publisher->gate, false);
    flag_set(&outlet->gone, 1);
    if (outlet->listed) {
        chain_look(publisher, outlet); /* if its tail is nonsense, nothing was read */
        unlist(publisher, outlet);
    }
    is_read = outlet->debt_count == 0 && outlet->ring.seen >= chain_messages_end(outlet);
    publisher->retired += outlet->debt_count > 0;
    gate_leave_locked(&publisher->gate);
    nudge_give(&publisher->nudge); /* nobody needs to wait for it any more */
    if (!flag_get(&endpoint->closing))
        look_again_soon(endpoint); /* it died: its files are in the way; or it lives: pair again */
    return is_read ? PEER_SOCKET_CLOSE : PEER_SOCKET_AWAIT;
}

/* Nobody uses it any more: not a thread of ours that waits, not the subscriber. */
static bool idle(struct endpoint *endpoint, struct peer *peer)
{
    struct mmipc_publisher *publisher = publisher_of(endpoint);
    struct outlet *outlet = outlet_of(peer);
    bool is_idle;
    if (peer->socket.fd >= 0) /* it reads on */
        return false;
    gate_enter_locked(&publisher->gate, false);
    publisher->retired -= outlet->debt_count > 0;
    chain_forgive(publisher, outlet);
    if (outlet->counted) {
        publisher->ring_bytes -= chain_ring_bytes(outlet);
        outlet->counted = false;
    }
    is_idle = outlet->waiters == 0;
    gate_leave_locked(&publisher->gate);
    return is_idle;
}

static void tick(struct endpoint *endpoint)
{
    chain_tick(publisher_of(endpoint));
}

const struct role publisher_role = {.name = "publisher",
                                    .seeks = true,
                                    .scan = scan,
                                    .accepted = status_accept,
                                    .message = message,
                                    .heartbeat = heartbeat,
                                    .tick = tick,
                                    .suspend = suspend,
                                    .dropped = dropped,
                                    .idle = idle,
                                    .destroy = destroy,
                                    .describe = describe};
