/* Redis pub/sub: PUBLISH and SUBSCRIBE.
 *
 * PUBLISH is answered when the server has put the message into the output buffer of each subscriber's connection. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "intake.h"
#include "params.h"
#include "publisher.h"
#include "server.h"

enum { MESSAGE_MAX = 512 << 20 /* proto-max-bulk-len */ };

struct subscriber {
    redisContext *connection;
    struct intake intake;
    ipcmark_deliver_fn *deliver;
    void *context;
    ipcmark_peer_fn *on_peer;
    void *peer_context;
};

/* By default the server disconnects a subscriber that is 32 MiB behind, or 8 MiB for a minute; 0 is no limit. */
static int configure(FILE *file, const ipcmark_endpoint *options, unsigned port, const char *folder)
{
    long buffer = 0;
    const int result = param_number(options, "buffer", 0, 1 << 20, &buffer);
    server_configure(file, port, folder);
    fprintf(file, "client-output-buffer-limit pubsub %ldmb 0 0\n", buffer);
    return result;
}

static int pubsub_broker_open(void **out, const ipcmark_endpoint *options, char *address, size_t address_size)
{
    return server_open(out, options, configure, address, address_size);
}

static int pubsub_publisher_open(void **out, const ipcmark_endpoint *options)
{
    struct publisher *publisher;
    const int result = publisher_open(&publisher, options, MESSAGE_MAX);
    if (result == 0)
        *out = publisher;
    return result;
}

static int pubsub_publish(void *handle, const ipcmark_part *parts, size_t count)
{
    struct publisher *publisher = handle;
    redisReply *reply;
    int result = publisher_check(publisher, parts, count);
    if (result == 0)
        result = publisher_enter(publisher);
    if (result < 0)
        return result;
    const struct word words[] = {WORD("PUBLISH"), WORD(publisher->channel), {parts[0].data, parts[0].size}};
    result = connection_command(publisher->connection, words, 3, REDIS_REPLY_INTEGER, &reply);
    if (result == 0)
        freeReplyObject(reply);
    publisher_leave(publisher);
    return result;
}

static void pubsub_publisher_close(void *handle)
{
    publisher_stop(handle);
    publisher_free(handle);
}

/* ["message", channel, payload]; what else comes is an answer to SUBSCRIBE. */
static void deliver(struct subscriber *subscriber, const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3 || strcmp(reply->element[0]->str, "message") != 0)
        return;
    const redisReply *message = reply->element[2];
    subscriber->deliver(subscriber->context, &(ipcmark_part){message->str, message->len}, 1);
}

static void receive(void *context)
{
    struct subscriber *subscriber = context;
    redisReply *reply;
    while (!intake_is_closing(&subscriber->intake) && connection_reply(subscriber->connection, &reply) == 0) {
        if (!intake_is_closing(&subscriber->intake))
            deliver(subscriber, reply);
        freeReplyObject(reply);
    }
    if (subscriber->on_peer != NULL && !intake_is_closing(&subscriber->intake))
        subscriber->on_peer(subscriber->peer_context, NULL, 0); /* the server has cut it off, or is gone */
}

static void wake(void *context)
{
    struct subscriber *subscriber = context;
    connection_cut(subscriber->connection);
}

static void finish(void *context)
{
    struct subscriber *subscriber = context;
    if (subscriber->connection != NULL)
        redisFree(subscriber->connection);
    free(subscriber);
}

/* The server has it when it answers: from then on nothing that is published is missed. */
static int subscribe(redisContext *connection, const char *channel)
{
    redisReply *reply;
    const struct word words[] = {WORD("SUBSCRIBE"), WORD(channel)};
    const int result = connection_command(connection, words, 2, REDIS_REPLY_ARRAY, &reply);
    if (result == 0)
        freeReplyObject(reply);
    return result;
}

static int pubsub_subscriber_open(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *deliver_,
                                  void *context)
{
    char channel[CHANNEL];
    struct subscriber *subscriber = calloc(1, sizeof *subscriber);
    if (subscriber == NULL)
        return -ENOMEM;
    subscriber->deliver = deliver_;
    subscriber->context = context;
    subscriber->on_peer = options->on_peer;
    subscriber->peer_context = options->peer_context;
    int result = channel_copy(channel, options);
    if (result == 0)
        result = connection_open(&subscriber->connection, options);
    if (result == 0)
        result = subscribe(subscriber->connection, channel);
    if (result == 0)
        result = intake_start(&subscriber->intake, receive, finish, subscriber);
    if (result < 0)
        finish(subscriber);
    else
        *out = subscriber;
    return result;
}

static void pubsub_subscriber_close(void *handle)
{
    struct subscriber *subscriber = handle;
    intake_close(&subscriber->intake, wake);
}

const ipcmark_driver *ipcmark_driver_get(void)
{
    static const ipcmark_driver driver = {
        .abi = IPCMARK_DRIVER_ABI,
        .size = sizeof driver,
        .name = "redis",
        .version = SERVER_VERSION,
        .summary = "Redis pub/sub through hiredis: a server that keeps what each subscriber has not read",
        .homepage = "https://redis.io",
        .capabilities = IPCMARK_CAP_EMPTY_MESSAGE | IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH | IPCMARK_CAP_THREADS |
                        IPCMARK_CAP_PUBLISH_IN_HANDLER | IPCMARK_CAP_CLOSE_IN_HANDLER | IPCMARK_CAP_DURABLE_PAUSE,
        .max_message_bytes = MESSAGE_MAX,
        .broker_open = pubsub_broker_open,
        .broker_close = broker_close,
        .publisher_open = pubsub_publisher_open,
        .publish = pubsub_publish,
        .publisher_close = pubsub_publisher_close,
        .subscriber_open = pubsub_subscriber_open,
        .subscriber_close = pubsub_subscriber_close,
    };
    return &driver;
}
