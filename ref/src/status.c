#include "status.h"

#include "endpoint.h"
#include "os/os.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void status_add_pair(struct status *status, const struct peer *peer, uint64_t unread)
{
    struct status_pair *pair;
    if (peer->state != PEER_CONNECTED)
        return;
    status->pair_total++;
    if (status->pair_count == STATUS_PAIRS_MAX)
        return;
    pair = &status->pairs[status->pair_count++];
    memcpy(pair->id, peer->id, ID_BYTES);
    pair->pid = peer->pid;
    pair->state = peer->suspended ? STATUS_SUSPENDED : STATUS_CONNECTED;
    pair->unread = unread;
}

static size_t room_for_pairs(const struct endpoint *endpoint)
{
    size_t count = 0;
    for (const struct peer *peer = endpoint->peers; peer != NULL && count < STATUS_PAIRS_MAX; peer = peer->next)
        ++count;
    return count;
}

void status_answer(struct endpoint *endpoint, int fd)
{
    struct status *status = calloc(1, sizeof *status + room_for_pairs(endpoint) * sizeof status->pairs[0]);
    if (status == NULL)
        return;
    status->magic = WIRE_MAGIC;
    status->version = WIRE_VERSION;
    status->type = WIRE_STATUS;
    status->status_version = STATUS_VERSION;
    status->ping_interval_ms = endpoint->options.ping_interval_ms;
    memcpy(status->id, endpoint->id, ID_BYTES);
    status->connections = (uint32_t)endpoint_connections(endpoint);
    endpoint->role->describe(endpoint, status);
    status->messages = shared_load_relaxed(&endpoint->tally.messages); /* relaxed: counts, each for itself */
    status->bytes = shared_load_relaxed(&endpoint->tally.bytes);
    status->time_ns = (uint64_t)os_now_ns();
    os_socket_send(fd, status, sizeof *status + status->pair_count * sizeof status->pairs[0], NULL, 0);
    free(status);
}

void status_accept(struct endpoint *endpoint, int fd)
{
    struct os_peer caller;
    int error = os_socket_peer(fd, &caller);
    if (error == 0) {
        error = peer_may_call(endpoint, &caller);
        os_close(caller.pidfd);
    }
    if (error == 0)
        status_answer(endpoint, fd);
    else
        endpoint_log(endpoint, LOG_WARNING, "told nothing to process %d: %s", caller.pid, mmipc_strerror(error));
    os_close(fd);
}
