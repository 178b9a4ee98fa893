/* Redis streams: XADD, and a consumer group for each subscriber.
 *
 * The server counts what each group was sent, so that publishers can trim what all have. What is not trimmed counts
 * towards the server's maxmemory, beyond which it refuses XADD. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backlog.h"
#include "intake.h"
#include "params.h"
#include "publisher.h"
#include "server.h"

enum {
    MESSAGE_MAX = 64 << 20,
    MEMORY_MIB = 256,     /* of all channels together */
    TRIM_BYTES = 4 << 20, /* after so many, */
    TRIM_MESSAGES = 4096, /* or so many messages */
    READ_BYTES = 4 << 20, /* about what is read at once, of messages of the largest size, */
    READ_MESSAGES = 128,  /* and never more of them */
};

struct subscriber {
    redisContext *connection;
    struct intake intake;
    ipcmark_deliver_fn *deliver;
    void *context;
    ipcmark_peer_fn *on_peer;
    void *peer_context;
    char id[READER_ID], channel[CHANNEL], host[BROKER_HOST], count[8];
    int port;
};

static int configure(FILE *file, const ipcmark_endpoint *options, unsigned port, const char *folder)
{
    long memory = MEMORY_MIB;
    const int result = param_number(options, "memory", 1, 1 << 20, &memory);
    server_configure(file, port, folder);
    fprintf(file, "maxmemory %ldmb\nmaxmemory-policy noeviction\n", memory);
    return result;
}

static int streams_broker_open(void **out, const ipcmark_endpoint *options, char *address, size_t address_size)
{
    return server_open(out, options, configure, address, address_size);
}

static int streams_publisher_open(void **out, const ipcmark_endpoint *options)
{
    struct publisher *publisher;
    const int result = publisher_open(&publisher, options, MESSAGE_MAX);
    if (result == 0)
        *out = publisher;
    return result;
}

/* 0, -ENOMEM, or it is unknown. Without a reader there is no stream, and nothing is kept. */
static int add(struct publisher *publisher, const ipcmark_part *part)
{
    redisReply *reply = NULL;
    const struct word words[] = {WORD("XADD"), WORD(publisher->channel), WORD("NOMKSTREAM"), WORD("*"),
                                 WORD("m"),    {part->data, part->size}};
    int result = connection_send(publisher->connection, words, 6);
    if (result == 0)
        result = connection_reply(publisher->connection, &reply);
    if (reply == NULL)
        return result;
    result = reply_error(reply);
    freeReplyObject(reply);
    return result;
}

static bool is_time_to_trim(struct publisher *publisher, size_t size)
{
    publisher->bytes += size;
    ++publisher->messages;
    return publisher->bytes >= TRIM_BYTES || publisher->messages >= TRIM_MESSAGES;
}

static int trim(struct publisher *publisher)
{
    publisher->bytes = publisher->messages = 0;
    return backlog_trim(publisher->connection, publisher->channel);
}

/* The server is at its maxmemory: some of it may have been read meanwhile. */
static int add_once_more(struct publisher *publisher, const ipcmark_part *part)
{
    if (trim(publisher) < 0)
        return -EAGAIN;
    const int result = add(publisher, part);
    return result == -ENOMEM ? -EAGAIN : result;
}

static int streams_publish(void *handle, const ipcmark_part *parts, size_t count)
{
    struct publisher *publisher = handle;
    int result = publisher_check(publisher, parts, count);
    if (result == 0)
        result = publisher_enter(publisher);
    if (result < 0)
        return result;
    result = add(publisher, &parts[0]);
    if (result == -ENOMEM)
        result = add_once_more(publisher, &parts[0]);
    if (result == 0 && is_time_to_trim(publisher, parts[0].size))
        trim(publisher); /* if the connection breaks, the next to come will see */
    publisher_leave(publisher);
    return result;
}

static void streams_publisher_close(void *handle)
{
    struct publisher *publisher = handle;
    publisher_stop(publisher);
    if (publisher->connection != NULL && publisher->connection->err == 0)
        trim(publisher);
    publisher_free(publisher);
}

/* [id, ["m", payload]]; an entry that was deleted has no fields. */
static void deliver(struct subscriber *subscriber, const redisReply *entry)
{
    if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2 || entry->element[1]->type != REDIS_REPLY_ARRAY ||
        entry->element[1]->elements != 2)
        return;
    const redisReply *message = entry->element[1]->element[1];
    subscriber->deliver(subscriber->context, &(ipcmark_part){message->str, message->len}, 1);
}

/* [[stream, [entry, …]]] */
static void deliver_all(struct subscriber *subscriber, const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 1 || reply->element[0]->elements != 2)
        return;
    const redisReply *entries = reply->element[0]->element[1];
    for (size_t i = 0; i < entries->elements && !intake_is_closing(&subscriber->intake); ++i)
        deliver(subscriber, entries->element[i]);
}

static void receive(void *context)
{
    struct subscriber *subscriber = context;
    const struct word words[] = {WORD("XREADGROUP"),
                                 WORD("GROUP"),
                                 WORD(subscriber->id),
                                 WORD("1"),
                                 WORD("COUNT"),
                                 WORD(subscriber->count),
                                 WORD("BLOCK"),
                                 WORD("0"),
                                 WORD("NOACK"),
                                 WORD("STREAMS"),
                                 WORD(subscriber->channel),
                                 WORD(">")};
    redisReply *reply;
    while (!intake_is_closing(&subscriber->intake) &&
           connection_command(subscriber->connection, words, 12, REDIS_REPLY_ARRAY, &reply) == 0) {
        deliver_all(subscriber, reply);
        freeReplyObject(reply);
    }
    if (subscriber->on_peer != NULL && !intake_is_closing(&subscriber->intake))
        subscriber->on_peer(subscriber->peer_context, NULL, 0); /* the server is gone */
}

static void wake(void *context)
{
    struct subscriber *subscriber = context;
    connection_cut(subscriber->connection);
}

/* If no other connection can be had, a publisher will strike the reader off, since its own is gone. */
static void leave(struct subscriber *subscriber)
{
    redisContext *other;
    if (subscriber->id[0] == '\0' || connection_open_at(&other, subscriber->host, subscriber->port) < 0)
        return;
    backlog_leave(other, subscriber->channel, subscriber->id);
    redisFree(other);
}

static void finish(void *context)
{
    struct subscriber *subscriber = context;
    if (subscriber->connection != NULL)
        redisFree(subscriber->connection);
    leave(subscriber);
    free(subscriber);
}

static void set_count(struct subscriber *subscriber, size_t max_bytes)
{
    size_t count = max_bytes == 0 ? 1 : READ_BYTES / max_bytes;
    count = count < 1 ? 1 : count > READ_MESSAGES ? READ_MESSAGES : count;
    snprintf(subscriber->count, sizeof subscriber->count, "%zu", count);
}

static int streams_subscriber_open(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *deliver_,
                                   void *context)
{
    struct subscriber *subscriber = calloc(1, sizeof *subscriber);
    if (subscriber == NULL)
        return -ENOMEM;
    subscriber->deliver = deliver_;
    subscriber->context = context;
    subscriber->on_peer = options->on_peer;
    subscriber->peer_context = options->peer_context;
    set_count(subscriber, options->max_message_bytes);
    int result = channel_copy(subscriber->channel, options);
    if (result == 0)
        result = broker_address(options, subscriber->host, &subscriber->port);
    if (result == 0)
        result = connection_open_at(&subscriber->connection, subscriber->host, subscriber->port);
    if (result == 0)
        result = backlog_join(subscriber->connection, subscriber->channel, subscriber->id);
    if (result == 0)
        result = intake_start(&subscriber->intake, receive, finish, subscriber);
    if (result < 0)
        finish(subscriber);
    else
        *out = subscriber;
    return result;
}

static void streams_subscriber_close(void *handle)
{
    struct subscriber *subscriber = handle;
    intake_close(&subscriber->intake, wake);
}

const ipcmark_driver *ipcmark_driver_get(void)
{
    static const ipcmark_driver driver = {
        .abi = IPCMARK_DRIVER_ABI,
        .size = sizeof driver,
        .name = "redis-streams",
        .version = SERVER_VERSION,
        .summary =
            "Redis streams through hiredis: a log that is trimmed once all have read it; publish fails when full",
        .homepage = "https://redis.io",
        .capabilities = IPCMARK_CAP_EMPTY_MESSAGE | IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH | IPCMARK_CAP_THREADS |
                        IPCMARK_CAP_PUBLISH_IN_HANDLER | IPCMARK_CAP_CLOSE_IN_HANDLER | IPCMARK_CAP_DURABLE_PAUSE |
                        IPCMARK_CAP_WHEN_FULL_FAIL,
        .max_message_bytes = MESSAGE_MAX,
        .broker_open = streams_broker_open,
        .broker_close = broker_close,
        .publisher_open = streams_publisher_open,
        .publish = streams_publish,
        .publisher_close = streams_publisher_close,
        .subscriber_open = streams_subscriber_open,
        .subscriber_close = streams_subscriber_close,
    };
    return &driver;
}
