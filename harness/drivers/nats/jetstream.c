/* JetStream: a server that keeps what is published until every subscriber has acknowledged it.
 *
 * Each channel is a stream of its own in the server's memory, made by whoever comes first. Its retention is by
 * interest: without subscribers a message is not stored at all, and with some it goes when the last of them has taken
 * it. A stream that is full refuses what is new, and publish says so. */
#include "endpoints.h"
#include "server.h"
#include "stream.h"

#include <errno.h>
#include <stdio.h>

enum { STREAM_MAX_BYTES = 64 << 20 };

static const int64_t hour_ns = INT64_C(3600) * 1000000000;

/* Whoever makes it second is told that it is there, and asks for nothing else. The server, it seems, looks for the name
 * first, and in a later step for its subjects: who comes in between is told that some stream has these. It is this one,
 * and the next look for the name finds it. */
static natsStatus make_stream(jsCtx *jetstream, const char *name, const char *subject)
{
    jsStreamConfig config;
    jsErrCode code = 0;
    const char *subjects[] = {subject};
    natsStatus status = jsStreamConfig_Init(&config);
    if (status != NATS_OK)
        return status;
    config.Name = name;
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.Storage = js_MemoryStorage;
    config.Retention = js_InterestPolicy;
    config.Discard = js_DiscardNew;
    config.MaxBytes = STREAM_MAX_BYTES;
    status = js_AddStream(NULL, jetstream, &config, NULL, &code);
    return code == JSStreamSubjectOverlapErr ? js_AddStream(NULL, jetstream, &config, NULL, NULL) : status;
}

static int prepare(struct client *client, const ipcmark_endpoint *options, void **state)
{
    struct endpoint endpoint;
    char name[64];
    jsCtx *jetstream;
    int result = endpoint_copy(&endpoint, options);
    if (result < 0)
        return result;
    snprintf(name, sizeof name, "ipcmark-%s", endpoint.digest); /* a name may be shorter than a subject only */
    natsStatus status = natsConnection_JetStream(&jetstream, client->connection, &(jsOptions){.Wait = CLIENT_WAIT_MS});
    if (status != NATS_OK)
        return client_error(status);
    status = make_stream(jetstream, name, client->subject);
    if (status != NATS_OK) {
        jsCtx_Destroy(jetstream);
        return client_error(status);
    }
    *state = jetstream;
    return 0;
}

/* Waits for the server's word that it has stored it, however long that takes. No message has an id, so none is held
 * back as a duplicate. */
static int send_and_wait(struct client *client, void *state, const void *data, size_t size)
{
    jsPubOptions options = {.MaxWait = CLIENT_FOR_EVER_MS};
    jsErrCode code = 0;
    const natsStatus status = js_Publish(NULL, state, client->subject, data, (int)size, &options, &code);
    if (status == NATS_OK)
        return 0;
    if (code == JSStreamStoreFailedErr)
        return -EAGAIN; /* the stream is full */
    return status == NATS_MAX_PAYLOAD ? -EMSGSIZE : status == NATS_CONNECTION_CLOSED ? -ENOTCONN : -EIO;
}

/* It is there when this returns. A message that is not acknowledged in time would be delivered again; but a connection
 * loses none, and with it goes the consumer: who takes long shall have the time. */
static natsStatus subscribe(struct client *client, void *state, natsSubscription **out)
{
    jsSubOptions options;
    natsStatus status = jsSubOptions_Init(&options);
    if (status != NATS_OK)
        return status;
    options.ManualAck = true;
    options.Config.DeliverPolicy = js_DeliverNew;
    options.Config.AckPolicy = js_AckExplicit;
    options.Config.AckWait = hour_ns;
    options.Config.MemoryStorage = true;
    return js_SubscribeSync(out, state, client->subject, NULL, &options, NULL);
}

static void acknowledge(natsMsg *message)
{
    natsMsg_Ack(message, NULL);
}

static void dispose(void *state)
{
    jsCtx_Destroy(state);
}

static const struct flavour flavour = {.prefix = "ipcmark-js",
                                       .prepare = prepare,
                                       .send = send_and_wait,
                                       .subscribe = subscribe,
                                       .took = acknowledge,
                                       .dispose = dispose};

static int nats_js_broker_open(void **out, const ipcmark_endpoint *options, char *address, size_t address_size)
{
    return server_open(out, options, true, address, address_size);
}

static int nats_js_publisher_open(void **out, const ipcmark_endpoint *options)
{
    return endpoints_publisher_open(out, options, &flavour, false);
}

static int nats_js_subscriber_open(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *deliver,
                                   void *context)
{
    return endpoints_subscriber_open(out, options, &flavour, deliver, context);
}

const ipcmark_driver *ipcmark_driver_get(void)
{
    static const ipcmark_driver driver = {
        .abi = IPCMARK_DRIVER_ABI,
        .size = sizeof driver,
        .name = "nats-js",
        .version = NATS_VERSION_STRING ", server " PEER_VERSION,
        .summary = "NATS JetStream: kept in the server's memory until acknowledged by all, refused when that is full",
        .homepage = "https://docs.nats.io/nats-concepts/jetstream",
        .capabilities = IPCMARK_CAP_EMPTY_MESSAGE | IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH | IPCMARK_CAP_THREADS |
                        IPCMARK_CAP_PUBLISH_IN_HANDLER | IPCMARK_CAP_CLOSE_IN_HANDLER | IPCMARK_CAP_DURABLE_PAUSE |
                        IPCMARK_CAP_WHEN_FULL_FAIL,
        .max_message_bytes = SERVER_MAX_PAYLOAD,
        .broker_open = nats_js_broker_open,
        .broker_close = server_close,
        .publisher_open = nats_js_publisher_open,
        .publish = endpoints_publish,
        .publisher_peers = endpoints_peers,
        .publisher_close = endpoints_publisher_close,
        .subscriber_open = nats_js_subscriber_open,
        .subscriber_peers = endpoints_peers,
        .subscriber_close = endpoints_subscriber_close,
    };
    return &driver;
}
