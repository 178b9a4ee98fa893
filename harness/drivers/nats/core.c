/* Core NATS: a server that passes on what is published to whoever has subscribed, and keeps nothing.
 *
 * Publish puts a message into a buffer, and the server never says what became of it. So each is followed by a flush: by
 * the answer to a ping the server has read what came before it, and queued it for each subscriber that it has. With the
 * parameter flush=none it has been written to the socket and no more.
 *
 * A subscriber's library takes whatever the server sends. With the parameter pending=BYTES it drops what arrives while
 * so much waits for the handler; it says so to whoever takes the next message, and there is no call here to pass it on
 * with.
 */
#include "endpoints.h"
#include "params.h"
#include "server.h"

#include <errno.h>
#include <string.h>

static int result_of(natsStatus status)
{
    /* The others say little of whether it was sent, and a time-out that we call by its name would say that it was not.
     */
    return status == NATS_OK                  ? 0
           : status == NATS_MAX_PAYLOAD       ? -EMSGSIZE
           : status == NATS_CONNECTION_CLOSED ? -ENOTCONN
                                              : -EIO;
}

static int send_only(struct client *client, void *state, const void *data, size_t size)
{
    (void)state;
    return result_of(natsConnection_Publish(client->connection, client->subject, data, (int)size));
}

/* However long the server takes: it holds up who publishes faster than others read. */
static int send_and_flush(struct client *client, void *state, const void *data, size_t size)
{
    const int result = send_only(client, state, data, size);
    return result < 0 ? result : result_of(natsConnection_FlushTimeout(client->connection, CLIENT_FOR_EVER_MS));
}

static natsStatus subscribe(struct client *client, void *state, natsSubscription **out)
{
    (void)state;
    return natsConnection_SubscribeSync(out, client->connection, client->subject);
}

static const struct flavour with_flush = {.prefix = "ipcmark", .send = send_and_flush, .subscribe = subscribe};
static const struct flavour without_flush = {.prefix = "ipcmark", .send = send_only, .subscribe = subscribe};

static int nats_broker_open(void **out, const ipcmark_endpoint *options, char *address, size_t address_size)
{
    return server_open(out, options, false, address, address_size);
}

static int nats_publisher_open(void **out, const ipcmark_endpoint *options)
{
    const char *flush = param_find(options, "flush", "every");
    const bool none = strcmp(flush, "none") == 0;
    if (!none && strcmp(flush, "every") != 0)
        return -EINVAL;
    return endpoints_publisher_open(out, options, none ? &without_flush : &with_flush, none);
}

static int nats_subscriber_open(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *deliver, void *context)
{
    return endpoints_subscriber_open(out, options, &with_flush, deliver, context);
}

const ipcmark_driver *ipcmark_driver_get(void)
{
    static const ipcmark_driver driver = {
        .abi = IPCMARK_DRIVER_ABI,
        .size = sizeof driver,
        .name = "nats",
        .version = NATS_VERSION_STRING ", server " PEER_VERSION,
        .summary = "Core NATS: a server in between, nothing kept, no limit to what waits for a slow subscriber",
        .homepage = "https://nats.io",
        .capabilities = IPCMARK_CAP_EMPTY_MESSAGE | IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH | IPCMARK_CAP_THREADS |
                        IPCMARK_CAP_PUBLISH_IN_HANDLER | IPCMARK_CAP_CLOSE_IN_HANDLER | IPCMARK_CAP_DURABLE_PAUSE,
        .max_message_bytes = SERVER_MAX_PAYLOAD,
        .broker_open = nats_broker_open,
        .broker_close = server_close,
        .publisher_open = nats_publisher_open,
        .publish = endpoints_publish,
        .publisher_peers = endpoints_peers,
        .publisher_close = endpoints_publisher_close,
        .subscriber_open = nats_subscriber_open,
        .subscriber_peers = endpoints_peers,
        .subscriber_close = endpoints_subscriber_close,
    };
    return &driver;
}
