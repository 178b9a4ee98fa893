/* The control thread of an endpoint: directory, sockets, heartbeats. It never waits for the data path or the user. */
#include "endpoint.h"
#include "os/os.h"

#include <errno.h>

int64_t control_interval_ns(const struct endpoint *endpoint)
{
    return (int64_t)endpoint->options.ping_interval_ms * 1000000;
}

static void tick(struct endpoint *endpoint, int64_t now_ns, bool late)
{
    struct peer *next;
    for (struct peer *peer = endpoint->peers; peer != NULL; peer = next) {
        next = peer->next;
        if (peer->state != PEER_CONNECTED)
            continue;
        endpoint->role->heartbeat(endpoint, peer);
        peer_tick(endpoint, peer, now_ns, late);
    }
    if (endpoint->role->tick != NULL)
        endpoint->role->tick(endpoint);
    if (endpoint->deaf && endpoint->listener.fd >= 0)
        endpoint->deaf = os_poller_add(endpoint->poller, endpoint->listener.fd, &endpoint->listener, false) != 0;
    place_check(endpoint);
    endpoint->rescan_ns = -1; /* before the scan, which may ask for another */
    endpoint->role->scan(endpoint, true);
}

/* Handshakes that took too long, pairs that another thread condemned, and those that nobody uses any more. */
static void sweep(struct endpoint *endpoint, int64_t now_ns)
{
    struct peer **link = &endpoint->peers;
    while (*link != NULL) {
        struct peer *peer = *link;
        const int verdict = flag_get(&peer->verdict);
        if (peer->state == PEER_GREETING && now_ns >= peer->deadline_ns)
            peer_read_mail(endpoint, peer, false); /* it may be we who were stopped, and its answer has come */
        if (peer->state == PEER_GREETING && now_ns >= peer->deadline_ns) {
            endpoint_log(endpoint, LOG_WARNING, "process %d did not finish the handshake in time", peer->pid);
            peer_drop(endpoint, peer, MMIPC_REASON_NONE, 0);
        } else if (peer->state == PEER_CONNECTED && verdict == MMIPC_REASON_DIED) {
            peer_read_mail(endpoint, peer, true); /* a publish found that it has hung up; it may have said why */
        } else if (peer->state == PEER_CONNECTED && verdict != 0) {
            peer_fail(endpoint, peer, verdict);
        }
        if (peer->state == PEER_GONE && endpoint->role->idle(endpoint, peer)) {
            *link = peer->next;
            endpoint->role->destroy(peer);
        } else {
            link = &peer->next;
        }
    }
}

static int64_t next_deadline(const struct endpoint *endpoint, int64_t tick_ns)
{
    int64_t deadline = tick_ns;
    if (endpoint->rescan_ns >= 0 && endpoint->rescan_ns < deadline)
        deadline = endpoint->rescan_ns;
    for (const struct peer *peer = endpoint->peers; peer != NULL; peer = peer->next)
        if (peer->state == PEER_GREETING && peer->deadline_ns < deadline)
            deadline = peer->deadline_ns;
    return deadline;
}

void *control_run(void *argument)
{
    struct endpoint *endpoint = argument;
    const int64_t interval_ns = control_interval_ns(endpoint);
    int64_t tick_ns = os_now_ns() + interval_ns;
    endpoint->role->scan(endpoint, true);
    while (!flag_get(&endpoint->closing)) {
        void *ready[16];
        int64_t now_ns;
        int count = os_poller_wait(endpoint->poller, ready, 16, next_deadline(endpoint, tick_ns));
        for (int i = 0; i < count; ++i) {
            struct watch *watch = ready[i];
            if (watch->fd >= 0) /* not closed by an earlier one of this batch */
                watch->ready(endpoint, watch);
        }
        now_ns = os_now_ns();
        if (now_ns >= tick_ns) {
            tick(endpoint, now_ns, now_ns - tick_ns > interval_ns / 2);
            tick_ns = now_ns - tick_ns > interval_ns ? now_ns + interval_ns : tick_ns + interval_ns;
        } else if (endpoint->rescan_ns >= 0 && now_ns >= endpoint->rescan_ns) {
            endpoint->rescan_ns = -1;
            endpoint->role->scan(endpoint, false);
        }
        sweep(endpoint, now_ns);
    }
    place_leave(endpoint);
    for (struct peer *peer = endpoint->peers; peer != NULL; peer = peer->next)
        peer_drop(endpoint, peer, MMIPC_REASON_CLOSED, WIRE_CLOSED);
    return NULL;
}
