#include "callers.h"
#include "driver.h"

#include <errno.h>
#include <inttypes.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/transport/ipc/ipc.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { FLUSH_MS = 100 };

struct publisher {
    struct endpoint endpoint;
    struct roster *roster;
    nng_socket socket;
    struct company company;
    atomic_llong last; /* when something was published */
    struct callers callers;
};

static bool name_process(void *context, nng_pipe pipe, char peer[ENDPOINT_NAME])
{
    uint64_t pid;
    (void)context;
    if (nng_pipe_get_uint64(pipe, NNG_OPT_IPC_PEER_PID, &pid) != 0)
        return false; /* it is gone */
    snprintf(peer, ENDPOINT_NAME, "pid:%" PRIu64, pid);
    return true;
}

/* nng drops what it has not sent yet, and advises to wait a little; closing it while it sends may never end.
 * Subscribers learn first that the connection has ended, and only then that it need not be made again. */
static void publisher_free(struct publisher *publisher)
{
    callers_await(&publisher->callers);
    const long long since = clock_ms() - atomic_load(&publisher->last);
    if (since < FLUSH_MS)
        poll(NULL, 0, FLUSH_MS - (int)since);
    nng_close(publisher->socket);
    roster_close(publisher->roster);
    company_close(&publisher->company);
    free(publisher);
}

static int listen_at(struct publisher *publisher, const ipcmark_endpoint *options, char address[ROSTER_ADDRESS])
{
    char name[IDENTITY_TEXT];
    int length = 0, result = nng_driver_queue(options, &length);
    if (result == 0)
        result = nng_driver_error(nng_socket_set_int(publisher->socket, NNG_OPT_SENDBUF, length));
    identity_make(name);
    snprintf(address, ROSTER_ADDRESS, NNG_DRIVER_ADDRESS "%s", name);
    if (result == 0)
        result = nng_driver_error(nng_listen(publisher->socket, address, NULL, 0));
    return result;
}

int nng_publisher_open(void **out, const ipcmark_endpoint *options)
{
    static const struct roster_kind kind = {.driver = "nng", .is_publisher = true};
    struct publisher *publisher = calloc(1, sizeof *publisher);
    char address[ROSTER_ADDRESS];
    if (publisher == NULL)
        return -ENOMEM;
    callers_init(&publisher->callers);
    atomic_init(&publisher->last, -FLUSH_MS);
    publisher->company = (struct company){.endpoint = &publisher->endpoint, .name = name_process, .context = publisher};
    int result = endpoint_copy(&publisher->endpoint, options);
    if (result == 0)
        result = nng_driver_error(nng_pub0_open(&publisher->socket));
    if (result < 0) {
        free(publisher);
        return result;
    }
    result = company_open(&publisher->company, publisher->socket);
    if (result == 0)
        result = listen_at(publisher, options, address);
    if (result == 0)
        result = roster_open(&publisher->roster, &publisher->endpoint, options->directory, &kind, address, publisher);
    if (result == 0)
        result = roster_start(publisher->roster);
    if (result < 0) {
        publisher_free(publisher);
        return result;
    }
    *out = publisher;
    return 0;
}

int nng_publish(void *handle, const ipcmark_part *parts, size_t count)
{
    struct publisher *publisher = handle;
    if (count != 1)
        return -EINVAL; /* nng has no parts */
    if (parts[0].size > publisher->endpoint.max_bytes)
        return -EMSGSIZE;
    if (!callers_enter(&publisher->callers))
        return -ESHUTDOWN;
    const int result = nng_driver_error(nng_send(publisher->socket, (void *)parts[0].data, parts[0].size, 0));
    atomic_store_explicit(&publisher->last, clock_ms(), memory_order_relaxed);
    callers_leave(&publisher->callers);
    return result;
}

int nng_publisher_peers(void *handle)
{
    return company_count(&((struct publisher *)handle)->company);
}

void nng_publisher_close(void *handle)
{
    struct publisher *publisher = handle;
    company_silence(&publisher->company);
    callers_refuse(&publisher->callers); /* sending never waits */
    publisher_free(publisher);
}
