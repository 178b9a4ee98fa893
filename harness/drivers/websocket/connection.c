#include "connection.h"

#include "loop.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    /* What a socket's buffer is charged for a packet beside its bytes is about half of that, and a packet of a queue
     * that cannot be sent is seldom less than this long. */
    PACKET_OVERHEAD = 2304,
    PACKET_BYTES = 32 * 1024,
    FRAME_HEADER_MAX = 10
};

struct message *message_make(const void *data, size_t size)
{
    struct message *message = malloc(sizeof *message + LWS_PRE + size);
    if (message == NULL)
        return NULL;
    atomic_init(&message->references, 1);
    message->size = size;
    if (size > 0)
        memcpy(message->room + LWS_PRE, data, size);
    return message;
}

void message_release(struct message *message)
{
    if (atomic_fetch_sub_explicit(&message->references, 1, memory_order_acq_rel) == 1)
        free(message);
}

static uint64_t cost(const struct message *message)
{
    return message->size + PACKET_OVERHEAD * (1 + message->size / PACKET_BYTES);
}

int connection_reserve(struct connection *connection)
{
    struct entries *inbox = &connection->inbox;
    if (inbox->count < inbox->capacity)
        return 0;
    const size_t capacity = inbox->capacity == 0 ? 16 : 2 * inbox->capacity;
    struct entry *at = realloc(inbox->at, capacity * sizeof *at);
    if (at == NULL)
        return -ENOMEM;
    inbox->at = at;
    inbox->capacity = capacity;
    return 0;
}

void connection_enter(struct connection *connection, struct message *message, uint64_t number)
{
    atomic_fetch_add_explicit(&message->references, 1, memory_order_relaxed);
    connection->entered += cost(message);
    connection->inbox.at[connection->inbox.count++] = (struct entry){message, number, connection->entered};
    if (connection->entered <= connection->assured)
        connection->safe = number;
}

/* What the socket is sure to take, as the kernel counts. */
static uint64_t socket_room(struct lws *wsi)
{
    uint32_t memory[SK_MEMINFO_VARS] = {0};
    socklen_t size = sizeof memory;
    if (getsockopt(lws_get_socket_fd(wsi), SOL_SOCKET, SO_MEMINFO, memory, &size) < 0 ||
        memory[SK_MEMINFO_SNDBUF] <= memory[SK_MEMINFO_WMEM_QUEUED])
        return 0;
    return memory[SK_MEMINFO_SNDBUF] - memory[SK_MEMINFO_WMEM_QUEUED];
}

void connection_begin(struct connection *connection, struct lws *wsi, uint64_t number)
{
    connection->wsi = wsi;
    connection->assured = socket_room(wsi);
    connection->safe = number;
    connection->is_greeted = true;
}

/* The library puts each frame's header right before its bytes: those of the frame before, which others may still have
 * to get. It has sent or copied both when it returns. */
static int write_frame(struct connection *connection, const struct message *message)
{
    unsigned char *const at = (unsigned char *)message->room + LWS_PRE + connection->offset;
    const size_t left = message->size - connection->offset, size = left < LOOP_FRAME ? left : LOOP_FRAME;
    unsigned char before[FRAME_HEADER_MAX];
    const int kind = lws_write_ws_flags(LWS_WRITE_BINARY, connection->offset == 0, size == left);
    memcpy(before, at - sizeof before, sizeof before);
    const int written = lws_write(connection->wsi, at, size, (enum lws_write_protocol)kind);
    memcpy(at - sizeof before, before, sizeof before);
    if (written < (int)size)
        return -1;
    connection->offset += size;
    if (size == left) {
        connection->offset = 0;
        ++connection->done;
    }
    return 0;
}

/* Those that the socket has taken, which the last may not have been: then the library holds the rest of it. */
static void settle(struct connection *connection, struct gate *gate)
{
    const struct entries *outbox = &connection->outbox;
    const bool is_held = lws_partial_buffered(connection->wsi) != 0 && connection->offset == 0;
    const size_t begin = connection->settled;
    if (connection->done == begin)
        return;
    const size_t end = connection->done - (is_held ? 1 : 0);
    if (end == begin)
        return;
    const struct entry *last = &outbox->at[end - 1];
    const uint64_t assured = last->end + socket_room(connection->wsi);
    pthread_mutex_lock(&gate->lock);
    if (assured > connection->assured)
        connection->assured = assured;
    if (last->number > connection->safe)
        connection->safe = last->number;
    const bool wakes = gate->waiting > 0; /* also if a later one was safe from the beginning, and this with it */
    pthread_mutex_unlock(&gate->lock);
    if (wakes)
        pthread_cond_broadcast(&gate->turn);
    connection->settled = end;
    for (size_t i = begin; i < end; ++i)
        message_release(outbox->at[i].message);
}

/* The queue is taken as a whole, so that publish and this thread seldom want the same. */
static void refill(struct connection *connection, struct gate *gate)
{
    struct entries taken = connection->outbox;
    if (connection->settled < taken.count)
        return;
    taken.count = connection->done = connection->settled = 0;
    pthread_mutex_lock(&gate->lock);
    connection->outbox = connection->inbox;
    connection->inbox = taken;
    pthread_mutex_unlock(&gate->lock);
}

int connection_write(struct connection *connection, struct gate *gate)
{
    settle(connection, gate);
    refill(connection, gate);
    while (connection->done < connection->outbox.count && lws_partial_buffered(connection->wsi) == 0)
        if (write_frame(connection, connection->outbox.at[connection->done].message) < 0)
            return -1;
    settle(connection, gate);
    if (connection->settled < connection->outbox.count)
        return 1;
    pthread_mutex_lock(&gate->lock);
    const bool is_more = connection->inbox.count > 0;
    pthread_mutex_unlock(&gate->lock);
    return is_more ? 1 : 0;
}

static void entries_cut(struct entries *entries, size_t from, uint64_t safe)
{
    size_t end = entries->count;
    while (end > from && entries->at[end - 1].number > safe)
        message_release(entries->at[--end].message);
    entries->count = end;
}

bool connection_cut(struct connection *connection)
{
    const size_t begun = connection->done + (connection->offset > 0 ? 1 : 0);
    entries_cut(&connection->inbox, 0, connection->safe);
    entries_cut(&connection->outbox, begun, connection->safe);
    return connection->offset == 0 || connection->outbox.at[connection->done].number <= connection->safe;
}

void connection_end(struct connection *connection)
{
    for (size_t i = 0; i < connection->inbox.count; ++i)
        message_release(connection->inbox.at[i].message);
    for (size_t i = connection->settled; i < connection->outbox.count; ++i)
        message_release(connection->outbox.at[i].message);
    free(connection->inbox.at);
    free(connection->outbox.at);
    connection->inbox = connection->outbox = (struct entries){NULL, 0, 0};
}
