/* A pipe and a Unix socket, as bare as they can be (targets/peer/bytes.c), as a driver, so that limit/pipe and
 * limit/unix are measured as the rows of real implementations are. Parameter: by=fifo or by=unix. One publisher, one
 * subscriber. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ipcmark/driver.h>

#include "../targets/peer/transport.h"

struct subscriber {
    const struct transport *transport;
    void *receiver;
    ipcmark_deliver_fn *deliver;
    void *context;
};

struct publisher {
    const struct transport *transport;
    void *sender; /* NULL: no subscriber found yet */
    char directory[PATH_MAX], channel[256];
};

static const struct transport *find_transport(const ipcmark_endpoint *endpoint)
{
    static const struct transport *const all[] = {&transport_fifo, &transport_unix};

    for (size_t i = 0; endpoint->params != NULL && endpoint->params[i] != NULL; ++i)
        for (size_t j = 0; j < sizeof all / sizeof all[0]; ++j)
            if (strncmp(endpoint->params[i], "by=", 3) == 0 && strcmp(endpoint->params[i] + 3, all[j]->name) == 0)
                return all[j];
    return NULL;
}

static void take(void *user, const void *data, size_t size)
{
    const struct subscriber *subscriber = user;
    const ipcmark_part part = {data, size};
    subscriber->deliver(subscriber->context, &part, 1);
}

static int subscriber_open(void **out, const ipcmark_endpoint *endpoint, ipcmark_deliver_fn *deliver, void *context)
{
    struct place place = {
        .directory = endpoint->directory, .name = endpoint->channel, .message_bytes = endpoint->max_message_bytes};
    struct subscriber *subscriber = calloc(1, sizeof *subscriber);
    int result = -EINVAL;

    if (subscriber == NULL)
        return -ENOMEM;
    subscriber->transport = find_transport(endpoint);
    subscriber->deliver = deliver;
    subscriber->context = context;
    if (subscriber->transport != NULL && strchr(endpoint->channel, '/') == NULL)
        result = subscriber->transport->receiver_open(&subscriber->receiver, &place, take, subscriber);
    if (result < 0)
        free(subscriber);
    else
        *out = subscriber;
    return result;
}

static int subscriber_peers(void *object)
{
    (void)object;
    return -ENOTSUP;
}

static void subscriber_close(void *object)
{
    struct subscriber *subscriber = object;

    if (subscriber != NULL)
        subscriber->transport->receiver_close(subscriber->receiver);
    free(subscriber);
}

static int publisher_open(void **out, const ipcmark_endpoint *endpoint)
{
    struct publisher *publisher = calloc(1, sizeof *publisher);

    if (publisher == NULL)
        return -ENOMEM;
    publisher->transport = find_transport(endpoint);
    if (publisher->transport == NULL || strlen(endpoint->directory) >= sizeof publisher->directory ||
        strlen(endpoint->channel) >= sizeof publisher->channel || strchr(endpoint->channel, '/') != NULL) {
        free(publisher);
        return -EINVAL;
    }
    strcpy(publisher->directory, endpoint->directory);
    strcpy(publisher->channel, endpoint->channel);
    *out = publisher;
    return 0;
}

static int publish(void *object, const ipcmark_part *parts, size_t count)
{
    struct publisher *publisher = object;

    if (count != 1)
        return -EINVAL;
    return publisher->sender == NULL ? 0 : publisher->transport->send(publisher->sender, parts->data, parts->size);
}

static int publisher_peers(void *object)
{
    struct publisher *publisher = object;
    const struct place place = {.directory = publisher->directory, .name = publisher->channel};

    return publisher->sender != NULL || publisher->transport->sender_open(&publisher->sender, &place) == 0;
}

static void publisher_close(void *object)
{
    struct publisher *publisher = object;

    if (publisher != NULL && publisher->sender != NULL)
        publisher->transport->sender_close(publisher->sender);
    free(publisher);
}

static const ipcmark_driver driver = {
    .abi = IPCMARK_DRIVER_ABI,
    .size = sizeof(ipcmark_driver),
    .name = "bytes",
    .version = IPCMARK_VERSION,
    .summary = "A pipe or a Unix socket with as little around it as can be; a limit, not an implementation",
    /* threads: claimed so that no lock is taken around publish; there is only one publishing thread in these rows */
    .capabilities = IPCMARK_CAP_PEERS | IPCMARK_CAP_THREADS | IPCMARK_CAP_WHEN_FULL_BLOCK,
    .max_publishers = 1,
    .max_subscribers = 1,
    .publisher_open = publisher_open,
    .publish = publish,
    .publisher_peers = publisher_peers,
    .publisher_close = publisher_close,
    .subscriber_open = subscriber_open,
    .subscriber_peers = subscriber_peers,
    .subscriber_close = subscriber_close,
};

const ipcmark_driver *ipcmark_driver_get(void)
{
    return &driver;
}
