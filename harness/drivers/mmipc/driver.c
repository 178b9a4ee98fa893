/* The driver of libmmipc. Parameters: spin_us (as in mmipc_options). */
#include "ipcmark/driver.h"
#include "mmipc/mmipc.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static_assert(sizeof(ipcmark_part) == sizeof(mmipc_part), "the same struct under two names");

struct handle {
    mmipc_publisher *publisher;
    mmipc_subscriber *subscriber;
    ipcmark_deliver_fn *deliver;
    void *context;
    ipcmark_peer_fn *on_peer;
    void *peer_context;
};

static void report_peer(void *user, int event, int pid, int reason)
{
    const struct handle *handle = user;
    const int connected = event == MMIPC_PEER_CONNECTED || event == MMIPC_PEER_RESUMED;
    char peer[32];
    (void)reason;
    snprintf(peer, sizeof peer, "pid:%d", pid);
    handle->on_peer(handle->peer_context, peer, connected);
}

static void report_log(void *user, int level, const char *text)
{
    (void)user;
    if (level <= 1)
        fprintf(stderr, "mmipc: %s\n", text);
}

static void deliver(void *user, const mmipc_part *parts, size_t count)
{
    const struct handle *handle = user;
    handle->deliver(handle->context, (const ipcmark_part *)(const void *)parts, count);
}

/* So that the largest message never fills the backlog by itself. */
static size_t backlog_for(size_t max_message_bytes)
{
    const size_t wanted = 4 * max_message_bytes;
    return wanted <= (size_t)256 << 20 ? 0 : wanted; /* 0: the library's default, which is that */
}

static int set_options(mmipc_options *options, const ipcmark_endpoint *endpoint, struct handle *handle)
{
    mmipc_options_init(options, sizeof *options);
    options->ping_interval_ms = endpoint->ping_interval_ms;
    options->max_backlog_bytes = backlog_for(endpoint->max_message_bytes);
    options->on_peer = endpoint->on_peer == NULL ? NULL : report_peer;
    options->on_log = report_log;
    options->user = handle;
    for (const char *const *param = endpoint->params; param != NULL && *param != NULL; ++param) {
        char *end;
        if (strncmp(*param, "spin_us=", 8) != 0) {
            fprintf(stderr, "mmipc: unknown parameter '%s'; there is spin_us=N\n", *param);
            return -EINVAL;
        }
        options->spin_us = (int)strtol(*param + 8, &end, 10);
        if (end == *param + 8 || *end != '\0')
            return -EINVAL;
    }
    return 0;
}

static int handle_create(struct handle **out, mmipc_options *options, const ipcmark_endpoint *endpoint)
{
    struct handle *handle = calloc(1, sizeof *handle);
    int error;
    if (handle == NULL)
        return -ENOMEM;
    handle->on_peer = endpoint->on_peer;
    handle->peer_context = endpoint->peer_context;
    error = set_options(options, endpoint, handle);
    if (error == 0)
        *out = handle;
    else
        free(handle);
    return error;
}

static int publisher_open(void **out, const ipcmark_endpoint *endpoint)
{
    struct handle *handle;
    mmipc_options options;
    int error = handle_create(&handle, &options, endpoint);
    if (error != 0)
        return error;
    error = mmipc_publisher_open(&handle->publisher, endpoint->channel, endpoint->directory, &options);
    if (error == 0)
        *out = handle;
    else
        free(handle);
    return error;
}

static int publish(void *handle, const ipcmark_part *parts, size_t count)
{
    return mmipc_publish_parts(((struct handle *)handle)->publisher, (const mmipc_part *)(const void *)parts, count);
}

static int publisher_peers(void *handle)
{
    return mmipc_publisher_connections(((struct handle *)handle)->publisher);
}

static void publisher_close(void *handle)
{
    mmipc_publisher_close(((struct handle *)handle)->publisher);
    free(handle);
}

static int subscriber_open(void **out, const ipcmark_endpoint *endpoint, ipcmark_deliver_fn *on_message, void *context)
{
    struct handle *handle;
    mmipc_options options;
    int error = handle_create(&handle, &options, endpoint);
    if (error != 0)
        return error;
    handle->deliver = on_message;
    handle->context = context;
    error =
        mmipc_subscriber_open(&handle->subscriber, endpoint->channel, endpoint->directory, deliver, handle, &options);
    if (error == 0)
        *out = handle;
    else
        free(handle);
    return error;
}

static int subscriber_peers(void *handle)
{
    return mmipc_subscriber_connections(((struct handle *)handle)->subscriber);
}

static void subscriber_close(void *handle)
{
    mmipc_subscriber_close(((struct handle *)handle)->subscriber);
    free(handle);
}

const ipcmark_driver *ipcmark_driver_get(void)
{
    static ipcmark_driver driver = {
        .abi = IPCMARK_DRIVER_ABI,
        .size = sizeof driver,
        .name = "mmipc",
        .summary = "libmmipc: shared-memory rings, one a pair, over memfds",
        .capabilities = IPCMARK_CAP_MULTIPART | IPCMARK_CAP_EMPTY_MESSAGE | IPCMARK_CAP_PEERS |
                        IPCMARK_CAP_PEER_EVENTS | IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH | IPCMARK_CAP_THREADS |
                        IPCMARK_CAP_NO_SELF_DELIVERY | IPCMARK_CAP_PUBLISH_IN_HANDLER | IPCMARK_CAP_CLOSE_IN_HANDLER |
                        IPCMARK_CAP_PING | IPCMARK_CAP_DURABLE_PAUSE | IPCMARK_CAP_DIRECTORY_FILES |
                        IPCMARK_CAP_ISOLATION_DIRECTORY | IPCMARK_CAP_WHEN_FULL_BLOCK,
        .publisher_open = publisher_open,
        .publish = publish,
        .publisher_peers = publisher_peers,
        .publisher_close = publisher_close,
        .subscriber_open = subscriber_open,
        .subscriber_peers = subscriber_peers,
        .subscriber_close = subscriber_close,
    };
    driver.version = mmipc_version();
    return &driver;
}
