/* The driver of libmmipc. Parameters: spin_us, max_backlog_bytes (as in mmipc_options).
 *
 * Built once for each policy of when_full, since a driver says what it claims before it sees a parameter: mmipc blocks,
 * mmipc-fail fails, mmipc-disconnect disconnects. */
#include "ipcmark/driver.h"
#include "mmipc/mmipc.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static_assert(sizeof(ipcmark_part) == sizeof(mmipc_part), "the same struct under two names");

#if defined(DRIVER_FAILS)
#define DRIVER_NAME    "mmipc-fail"
#define DRIVER_SUMMARY "libmmipc, whose publish fails where a backlog is full"
enum { WHEN_FULL = MMIPC_WHEN_FULL_FAIL, CLAIM = IPCMARK_CAP_WHEN_FULL_FAIL };
#elif defined(DRIVER_DISCONNECTS)
#define DRIVER_NAME    "mmipc-disconnect"
#define DRIVER_SUMMARY "libmmipc, which disconnects whose backlog is full"
enum { WHEN_FULL = MMIPC_WHEN_FULL_DISCONNECT, CLAIM = IPCMARK_CAP_WHEN_FULL_DROP_REPORTED };
#else
#define DRIVER_NAME    "mmipc"
#define DRIVER_SUMMARY "libmmipc: shared-memory rings, one a pair, over memfds"
enum { WHEN_FULL = MMIPC_WHEN_FULL_BLOCK, CLAIM = IPCMARK_CAP_WHEN_FULL_BLOCK };
#endif

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

static int parse_number(const char *text, long long least, long long most, long long *out)
{
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return errno != 0 || end == text || *end != '\0' || *out < least || *out > most ? -EINVAL : 0;
}

static int set_param(mmipc_options *options, const char *param)
{
    static const char spin[] = "spin_us=", backlog[] = "max_backlog_bytes=";
    long long number;
    int error = -EINVAL;
    if (strncmp(param, spin, sizeof spin - 1) == 0) {
        error = parse_number(param + sizeof spin - 1, -1, INT_MAX, &number);
        if (error == 0)
            options->spin_us = (int)number;
    } else if (strncmp(param, backlog, sizeof backlog - 1) == 0) {
        error = parse_number(param + sizeof backlog - 1, 1, LLONG_MAX, &number);
        if (error == 0)
            options->max_backlog_bytes = (size_t)number;
    }
    if (error < 0)
        fprintf(stderr, DRIVER_NAME ": '%s' is no parameter; there is spin_us=N and max_backlog_bytes=N\n", param);
    return error;
}

static int set_options(mmipc_options *options, const ipcmark_endpoint *endpoint, struct handle *handle)
{
    int error = 0;
    mmipc_options_init(options, sizeof *options);
    options->ping_interval_ms = endpoint->ping_interval_ms;
    options->max_backlog_bytes = backlog_for(endpoint->max_message_bytes);
    options->when_full = WHEN_FULL;
    options->on_peer = endpoint->on_peer == NULL ? NULL : report_peer;
    options->on_log = report_log;
    options->user = handle;
    for (const char *const *param = endpoint->params; error == 0 && param != NULL && *param != NULL; ++param)
        error = set_param(options, *param);
    return error;
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
    const int result =
        mmipc_publish_parts(((struct handle *)handle)->publisher, (const mmipc_part *)(const void *)parts, count);
    /* Full, in a handler, where nothing waits: nobody got it, and only EAGAIN tells the suite so. */
    return result == -EDEADLK ? -EAGAIN : result;
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
        .name = DRIVER_NAME,
        .summary = DRIVER_SUMMARY,
        .capabilities = IPCMARK_CAP_MULTIPART | IPCMARK_CAP_EMPTY_MESSAGE | IPCMARK_CAP_PEERS |
                        IPCMARK_CAP_PEER_EVENTS | IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH | IPCMARK_CAP_THREADS |
                        IPCMARK_CAP_NO_SELF_DELIVERY | IPCMARK_CAP_PUBLISH_IN_HANDLER | IPCMARK_CAP_CLOSE_IN_HANDLER |
                        IPCMARK_CAP_PING | IPCMARK_CAP_DURABLE_PAUSE | IPCMARK_CAP_DIRECTORY_FILES |
                        IPCMARK_CAP_ISOLATION_DIRECTORY | CLAIM,
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
