/* ZeroMQ: XPUB and SUB over Unix sockets. libzmq knows no directory: publishers advertise their address (roster.h), and
 * each subscriber connects its one socket to all of them. */
#include "zeromq.h"

#include "frame.h"
#include "params.h"

#include <errno.h>
#include <stdio.h>

enum {
    QUEUE_BYTES = 64 << 20, /* at either end of a connection, of the largest messages */
    MARK_MOST = 1000,
    MARK_LEAST = 4
};

int zeromq_set(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) < 0 ? -errno : 0;
}

int zeromq_set_mark(void *socket, int option, const ipcmark_endpoint *options)
{
    const size_t largest = options->max_message_bytes;
    size_t mark = largest == 0 ? MARK_MOST : QUEUE_BYTES / largest;
    long given;
    mark = mark > MARK_MOST ? MARK_MOST : mark < MARK_LEAST ? MARK_LEAST : mark;
    given = (long)mark;
    const int result = param_number(options, "hwm", 1, 1000000, &given);
    return result < 0 ? result : zeromq_set(socket, option, (int)given);
}

int zeromq_open(struct zeromq *out, int type)
{
    size_t size = sizeof out->ready;
    int result = 0;
    out->context = zmq_ctx_new();
    out->socket = out->context == NULL ? NULL : zmq_socket(out->context, type);
    if (out->socket == NULL || zmq_getsockopt(out->socket, ZMQ_FD, &out->ready, &size) < 0)
        result = errno == 0 ? -EIO : -errno;
    if (result == 0)
        result = zeromq_set(out->socket, ZMQ_LINGER, LINGER_MS);
    if (result < 0)
        zeromq_close(out);
    return result;
}

void zeromq_close(struct zeromq *zeromq)
{
    if (zeromq->socket != NULL)
        zmq_close(zeromq->socket);
    if (zeromq->context != NULL)
        zmq_ctx_term(zeromq->context);
    *zeromq = (struct zeromq){0};
}

const ipcmark_driver *ipcmark_driver_get(void)
{
    static char version[32];
    int major, minor, patch;
    static const ipcmark_driver driver = {
        .abi = IPCMARK_DRIVER_ABI,
        .size = sizeof driver,
        .name = "zeromq",
        .version = version,
        .summary = "ZeroMQ: XPUB that does not drop, and SUB, over Unix sockets",
        .homepage = "https://zeromq.org",
        .capabilities = IPCMARK_CAP_MULTIPART | IPCMARK_CAP_PEERS | IPCMARK_CAP_PEER_EVENTS | IPCMARK_CAP_THREADS |
                        IPCMARK_CAP_NO_SELF_DELIVERY | IPCMARK_CAP_PUBLISH_IN_HANDLER | IPCMARK_CAP_CLOSE_IN_HANDLER |
                        IPCMARK_CAP_DURABLE_PAUSE | IPCMARK_CAP_DIRECTORY_FILES | IPCMARK_CAP_ISOLATION_DIRECTORY |
                        IPCMARK_CAP_WHEN_FULL_BLOCK,
        .max_message_bytes = FRAME_BYTES_MAX,
        .publisher_open = zeromq_publisher_open,
        .publish = zeromq_publish,
        .publisher_peers = zeromq_publisher_peers,
        .publisher_close = zeromq_publisher_close,
        .subscriber_open = zeromq_subscriber_open,
        .subscriber_peers = zeromq_subscriber_peers,
        .subscriber_close = zeromq_subscriber_close,
    };
    zmq_version(&major, &minor, &patch);
    snprintf(version, sizeof version, "%d.%d.%d", major, minor, patch);
    return &driver;
}
