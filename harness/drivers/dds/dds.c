/* Eclipse Cyclone DDS: a writer or reader an endpoint, reliable and keeping all; a topic a channel.
 *
 * How much may lie between them, and who waits for it, is left to DDS: when a reader holds as many samples as it may,
 * the history caches of its writers fill up, and dds_write waits. */
#include "callers.h"
#include "domain.h"
#include "frame.h"
#include "intake.h"
#include "matches.h"
#include "message.h"
#include "params.h"

#include <dds/version.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    BACKLOG = 128 << 20, /* bytes that a reader may hold, if all messages are as large as they may be */
    SAMPLES_MIN = 128,
    SAMPLES_MAX = 8192, /* more than a writer sends ahead of acknowledgements */
    TAKE_MAX = 16,
    PARTS_INSIDE = 16,
    WRITE_MS = 50, /* of one try, after which it is seen whether close was called */
    ACKNOWLEDGED_MS = 500,
    TOPIC_NAME = 2 * ENDPOINT_NAME + 2
};

struct publisher {
    struct matches matches;
    struct domain *domain;
    dds_entity_t topic, writer;
    struct callers callers;
};

struct subscriber {
    struct matches matches;
    struct domain *domain;
    dds_entity_t topic, reader, waitset;
    struct intake intake;
    ipcmark_part *parts;
    size_t parts_room;
    dds_time_t opened;
    ipcmark_deliver_fn *deliver;
    void *context;
};

/* Names of topics are letters and digits; a channel may be any bytes. */
static dds_entity_t make_topic(dds_entity_t participant, const char *channel)
{
    char name[TOPIC_NAME] = "c", *at = name + 1;
    for (const unsigned char *byte = (const unsigned char *)channel; *byte != '\0'; ++byte)
        at += snprintf(at, 3, "%02x", *byte);
    return dds_create_topic(participant, &wire_message_desc, name, NULL, NULL);
}

static dds_qos_t *make_qos(const char *id, int32_t samples)
{
    dds_qos_t *qos = dds_create_qos();
    dds_qset_reliability(qos, DDS_RELIABILITY_RELIABLE, DDS_MSECS(WRITE_MS));
    dds_qset_history(qos, DDS_HISTORY_KEEP_ALL, 0);
    dds_qset_resource_limits(qos, samples, DDS_LENGTH_UNLIMITED, DDS_LENGTH_UNLIMITED);
    dds_qset_durability(qos, DDS_DURABILITY_VOLATILE);
    dds_qset_ignorelocal(qos, DDS_IGNORELOCAL_PROCESS);
    dds_qset_userdata(qos, id, strlen(id));
    return qos;
}

static void publisher_free(struct publisher *publisher)
{
    if (publisher->writer > 0)
        dds_delete(publisher->writer);
    if (publisher->topic > 0)
        dds_delete(publisher->topic);
    domain_leave(publisher->domain);
    matches_close(&publisher->matches);
    free(publisher);
}

static int make_writer(struct publisher *publisher, const ipcmark_endpoint *options)
{
    dds_entity_t participant = 0;
    const int result = domain_join(&publisher->domain, options, &participant);
    if (result < 0)
        return result;
    publisher->topic = make_topic(participant, options->channel);
    if (publisher->topic < 0)
        return dds_error(publisher->topic);
    dds_qos_t *qos = make_qos(options->id, DDS_LENGTH_UNLIMITED);
    dds_listener_t *listener = matches_listener(&publisher->matches);
    publisher->writer = dds_create_writer(participant, publisher->topic, qos, listener);
    dds_delete_listener(listener);
    dds_delete_qos(qos);
    return publisher->writer < 0 ? dds_error(publisher->writer) : 0;
}

static int publisher_open(void **out, const ipcmark_endpoint *options)
{
    struct publisher *publisher = calloc(1, sizeof *publisher);
    if (publisher == NULL)
        return -ENOMEM;
    int result = matches_open(&publisher->matches, options);
    if (result < 0) {
        free(publisher);
        return result;
    }
    callers_init(&publisher->callers);
    result = make_writer(publisher, options);
    if (result < 0)
        publisher_free(publisher);
    else
        *out = publisher;
    return result;
}

/* Of a clock that all processes share and nobody sets. */
static dds_time_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return DDS_SECS((dds_time_t)time.tv_sec) + time.tv_nsec;
}

/* What has timed out was not written: a writer waits before it stores. */
static int write_message(struct publisher *publisher, const wire_message *message)
{
    dds_return_t result;
    while ((result = dds_write_ts(publisher->writer, message, now())) == DDS_RETCODE_TIMEOUT)
        if (callers_refused(&publisher->callers))
            return -ESHUTDOWN;
    return result < 0 ? dds_error(result) : 0;
}

/* Refers to the caller's parts: dds_write_ts copies them. */
static int refer(wire_message *message, const ipcmark_part *parts, size_t count, size_t max_bytes)
{
    size_t size = 0;
    for (size_t i = 0; i < count; ++i) {
        if (parts[i].size > max_bytes - size)
            return -EMSGSIZE;
        size += parts[i].size;
        message->parts._buffer[i] = (wire_part){
            ._maximum = (uint32_t)parts[i].size, ._length = (uint32_t)parts[i].size, ._buffer = (void *)parts[i].data};
    }
    return 0;
}

static int publish(void *handle, const ipcmark_part *parts, size_t count)
{
    struct publisher *publisher = handle;
    wire_part inside[PARTS_INSIDE], *pieces = inside;
    if (count > FRAME_PARTS_MAX)
        return -EMSGSIZE;
    if (count > PARTS_INSIDE && (pieces = calloc(count, sizeof *pieces)) == NULL)
        return -ENOMEM;
    wire_message message = {.parts = {._maximum = (uint32_t)count, ._length = (uint32_t)count, ._buffer = pieces}};
    int result = refer(&message, parts, count, publisher->matches.endpoint.max_bytes);
    if (result == 0 && !callers_enter(&publisher->callers)) {
        result = -ESHUTDOWN;
    } else if (result == 0) {
        result = write_message(publisher, &message);
        callers_leave(&publisher->callers);
    }
    if (pieces != inside)
        free(pieces);
    return result;
}

static int publisher_peers(void *handle)
{
    return atomic_load(&((struct publisher *)handle)->matches.count);
}

/* What a reader has not acknowledged would be gone with the writer. */
static void publisher_close(void *handle)
{
    struct publisher *publisher = handle;
    matches_mute(&publisher->matches);
    callers_refuse(&publisher->callers);
    callers_await(&publisher->callers);
    dds_wait_for_acks(publisher->writer, DDS_MSECS(ACKNOWLEDGED_MS));
    publisher_free(publisher);
}

static void deliver(struct subscriber *subscriber, const wire_message *message)
{
    const size_t count = message->parts._length;
    if (count > subscriber->parts_room) {
        ipcmark_part *parts = realloc(subscriber->parts, count * sizeof *parts);
        if (parts == NULL)
            return;
        subscriber->parts = parts;
        subscriber->parts_room = count;
    }
    for (size_t i = 0; i < count; ++i)
        subscriber->parts[i] = (ipcmark_part){message->parts._buffer[i]._buffer, message->parts._buffer[i]._length};
    subscriber->deliver(subscriber->context, subscriber->parts, count);
}

/* A volatile reader may be given what was under way to its process when it was made. */
static void receive(void *context)
{
    struct subscriber *subscriber = context;
    void *samples[TAKE_MAX] = {NULL}; /* DDS lends the memory */
    dds_sample_info_t infos[TAKE_MAX];
    while (!intake_is_closing(&subscriber->intake)) {
        const dds_return_t taken = dds_take(subscriber->reader, samples, infos, TAKE_MAX, TAKE_MAX);
        for (dds_return_t i = 0; i < taken && !intake_is_closing(&subscriber->intake); ++i)
            if (infos[i].valid_data && infos[i].source_timestamp >= subscriber->opened)
                deliver(subscriber, samples[i]);
        if (taken > 0)
            dds_return_loan(subscriber->reader, samples, taken);
        if (taken <= 0 && !intake_is_closing(&subscriber->intake))
            dds_waitset_wait(subscriber->waitset, NULL, 0, DDS_INFINITY);
    }
}

static void wake(void *context)
{
    struct subscriber *subscriber = context;
    dds_waitset_set_trigger(subscriber->waitset, true);
}

static void subscriber_free(void *context)
{
    struct subscriber *subscriber = context;
    if (subscriber->waitset > 0)
        dds_delete(subscriber->waitset);
    if (subscriber->reader > 0)
        dds_delete(subscriber->reader);
    if (subscriber->topic > 0)
        dds_delete(subscriber->topic);
    domain_leave(subscriber->domain);
    matches_close(&subscriber->matches);
    free(subscriber->parts);
    free(subscriber);
}

/* The waitset is triggered by what can be read, and by wake. */
static int make_waitset(struct subscriber *subscriber, dds_entity_t participant)
{
    const dds_entity_t condition = dds_create_readcondition(subscriber->reader, DDS_ANY_STATE);
    if (condition < 0)
        return dds_error(condition);
    subscriber->waitset = dds_create_waitset(participant);
    if (subscriber->waitset < 0)
        return dds_error(subscriber->waitset);
    dds_return_t result = dds_waitset_attach(subscriber->waitset, condition, 0);
    if (result == 0)
        result = dds_waitset_attach(subscriber->waitset, subscriber->waitset, 0);
    return result < 0 ? dds_error(result) : 0;
}

/* The limit of DDS is one of samples, whatever their size. */
static long samples_within(size_t max_bytes)
{
    const size_t samples = BACKLOG / max_bytes;
    return samples < SAMPLES_MIN ? SAMPLES_MIN : samples > SAMPLES_MAX ? SAMPLES_MAX : (long)samples;
}

static int make_reader(struct subscriber *subscriber, const ipcmark_endpoint *options)
{
    dds_entity_t participant = 0;
    long samples = samples_within(subscriber->matches.endpoint.max_bytes);
    int result = param_number(options, "max_samples", 1, INT32_MAX, &samples);
    if (result == 0)
        result = domain_join(&subscriber->domain, options, &participant);
    if (result < 0)
        return result;
    subscriber->topic = make_topic(participant, options->channel);
    if (subscriber->topic < 0)
        return dds_error(subscriber->topic);
    dds_qos_t *qos = make_qos(options->id, (int32_t)samples);
    dds_listener_t *listener = matches_listener(&subscriber->matches);
    subscriber->reader = dds_create_reader(participant, subscriber->topic, qos, listener);
    dds_delete_listener(listener);
    dds_delete_qos(qos);
    return subscriber->reader < 0 ? dds_error(subscriber->reader) : make_waitset(subscriber, participant);
}

static int subscriber_open(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *deliver_, void *context)
{
    struct subscriber *subscriber = calloc(1, sizeof *subscriber);
    if (subscriber == NULL)
        return -ENOMEM;
    subscriber->opened = now();
    subscriber->deliver = deliver_;
    subscriber->context = context;
    int result = matches_open(&subscriber->matches, options);
    if (result < 0) {
        free(subscriber);
        return result;
    }
    result = make_reader(subscriber, options);
    if (result == 0)
        result = intake_start(&subscriber->intake, receive, subscriber_free, subscriber);
    if (result < 0)
        subscriber_free(subscriber);
    else
        *out = subscriber;
    return result;
}

static int subscriber_peers(void *handle)
{
    return atomic_load(&((struct subscriber *)handle)->matches.count);
}

static void subscriber_close(void *handle)
{
    struct subscriber *subscriber = handle;
    matches_mute(&subscriber->matches);
    intake_close(&subscriber->intake, wake);
}

const ipcmark_driver *ipcmark_driver_get(void)
{
    static const ipcmark_driver driver = {
        .abi = IPCMARK_DRIVER_ABI,
        .size = sizeof driver,
        .name = "dds",
        .version = DDS_VERSION,
        .summary = "Eclipse Cyclone DDS over loopback UDP, reliable and keeping all",
        .homepage = "https://cyclonedds.io",
        .capabilities = IPCMARK_CAP_MULTIPART | IPCMARK_CAP_EMPTY_MESSAGE | IPCMARK_CAP_PEERS |
                        IPCMARK_CAP_PEER_EVENTS | IPCMARK_CAP_THREADS | IPCMARK_CAP_NO_SELF_DELIVERY |
                        IPCMARK_CAP_PUBLISH_IN_HANDLER | IPCMARK_CAP_CLOSE_IN_HANDLER | IPCMARK_CAP_PING |
                        IPCMARK_CAP_ISOLATION_DIRECTORY | IPCMARK_CAP_WHEN_FULL_BLOCK,
        .publisher_open = publisher_open,
        .publish = publish,
        .publisher_peers = publisher_peers,
        .publisher_close = publisher_close,
        .subscriber_open = subscriber_open,
        .subscriber_peers = subscriber_peers,
        .subscriber_close = subscriber_close,
    };
    return &driver;
}
