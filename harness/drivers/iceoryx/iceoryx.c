/* Eclipse iceoryx: publish/subscribe through shared memory that its daemon, RouDi, manages.
 *
 * A message is a chunk of that memory: written once by the publisher, read in place by each subscriber, which has a
 * queue of pointers. The header of ours, before the bytes, says how many these are: the C binding does not. */
#include "intake.h"
#include "params.h"
#include "roudi.h"
#include "stream.h"

#include <errno.h>
#include <iceoryx_binding_c/chunk.h>
#include <iceoryx_binding_c/config.h>
#include <iceoryx_binding_c/log.h>
#include <iceoryx_binding_c/publisher.h>
#include <iceoryx_binding_c/runtime.h>
#include <iceoryx_binding_c/subscriber.h>
#include <iceoryx_binding_c/user_trigger.h>
#include <iceoryx_binding_c/wait_set.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    MESSAGE_MAX = 64 << 20,
    QUEUE = 256, /* the most that 2.0 is built for */
    MEET_WITHIN_MS = 5000,
    ALIGNMENT = 8,
    NAME = 100,
    CLIENT_NAME = 64
};

struct header {
    uint64_t size;
};

struct publisher {
    iox_pub_storage_t storage;
    iox_pub_t port;
    size_t max_bytes;
};

struct subscriber {
    iox_sub_storage_t storage;
    iox_sub_t port;
    iox_ws_storage_t waits_storage;
    iox_ws_t waits;
    iox_user_trigger_storage_t bell_storage;
    iox_user_trigger_t bell;
    struct intake intake;
    ipcmark_deliver_fn *deliver;
    void *context;
};

/* Of service, instance and event, the levels of an address. */
struct address {
    char instance[NAME], event[NAME];
};

/* The C binding of 2.0 has events for data, services and requests: none for a subscription that was accepted, or a pool
 * that has chunks again. */
static void nap(void)
{
    const struct timespec millisecond = {.tv_nsec = 1000000};
    nanosleep(&millisecond, NULL);
}

/* 128 bits, for names of up to 100 characters; commas and the like are RouDi's own. */
static void digest(const char *text, char out[NAME])
{
    uint64_t one = 0xcbf29ce484222325u, other = 0x9e3779b97f4a7c15u; /* FNV-1a, from two starts */
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; ++at) {
        one = (one ^ *at) * 0x100000001b3u;
        other = (other ^ *at ^ (one >> 32)) * 0x100000001b3u;
    }
    snprintf(out, NAME, "%016" PRIx64 "%016" PRIx64, one, other);
}

/* A process is RouDi's client until it ends: the library has no way back. */
static int become_client(const char *broker)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static char joined[CLIENT_NAME];
    char name[CLIENT_NAME];
    sigset_t all, before;
    int result = broker == NULL ? -EDESTADDRREQ : 0;
    if (result == 0 && (size_t)snprintf(name, sizeof name, "%s-%s", broker, identity_process()) >= sizeof name)
        result = -ENAMETOOLONG;
    pthread_mutex_lock(&lock);
    if (result == 0 && joined[0] != '\0')
        result = strcmp(joined, name) == 0 ? 0 : -EISCONN;
    else if (result == 0 && (result = roudi_check()) == 0) {
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before); /* of the thread that it starts */
        iox_set_loglevel(Iceoryx_LogLevel_Error);
        iox_runtime_init(name);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        memcpy(joined, name, sizeof joined);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

static int prepare(const ipcmark_endpoint *options, struct address *address)
{
    if (options->channel == NULL || options->channel[0] == '\0' || options->directory == NULL)
        return -EINVAL;
    digest(options->directory, address->instance);
    digest(options->channel, address->event);
    return become_client(param_find(options, "broker", NULL));
}

/* RouDi brings them together in turn; whether it has can only be asked for. */
static int wait_until(bool (*is_so)(const void *endpoint), const void *endpoint)
{
    const long long until = clock_ms() + MEET_WITHIN_MS;
    while (!is_so(endpoint)) {
        if (clock_ms() > until)
            return -ETIMEDOUT;
        nap();
    }
    return 0;
}

static bool is_offered(const void *publisher)
{
    return iox_pub_is_offered(((const struct publisher *)publisher)->port);
}

static bool is_subscribed(const void *subscriber)
{
    return iox_sub_get_subscription_state(((const struct subscriber *)subscriber)->port) == SubscribeState_SUBSCRIBED;
}

static void iceoryx_publisher_close(void *handle)
{
    struct publisher *publisher = handle;
    iox_pub_deinit(publisher->port);
    free(publisher);
}

static int iceoryx_publisher_open(void **out, const ipcmark_endpoint *options)
{
    struct address address;
    iox_pub_options_t wanted;
    int result = prepare(options, &address);
    if (result < 0)
        return result;
    struct publisher *publisher = calloc(1, sizeof *publisher);
    if (publisher == NULL)
        return -ENOMEM;
    publisher->max_bytes = options->max_message_bytes;
    if (publisher->max_bytes == 0 || publisher->max_bytes > MESSAGE_MAX)
        publisher->max_bytes = MESSAGE_MAX;
    iox_pub_options_init(&wanted);
    wanted.historyCapacity = 0;
    wanted.subscriberTooSlowPolicy = ConsumerTooSlowPolicy_WAIT_FOR_CONSUMER;
    publisher->port = iox_pub_init(&publisher->storage, "ipcmark", address.instance, address.event, &wanted);
    result = wait_until(is_offered, publisher);
    if (result < 0) {
        iceoryx_publisher_close(publisher);
        return result;
    }
    *out = publisher;
    return 0;
}

/* Chunks come back when subscribers have read them, which nobody is told. */
static int loan(struct publisher *publisher, size_t size, void **chunk)
{
    for (;;) {
        switch (iox_pub_loan_aligned_chunk_with_user_header(publisher->port, chunk, (uint32_t)size, ALIGNMENT,
                                                            sizeof(struct header), _Alignof(struct header))) {
        case AllocationResult_SUCCESS:
            return 0;
        case AllocationResult_RUNNING_OUT_OF_CHUNKS:
            nap();
            break;
        case AllocationResult_NO_MEMPOOLS_AVAILABLE:
            return -ENOSPC;
        default:
            return -EINVAL;
        }
    }
}

static int iceoryx_publish(void *handle, const ipcmark_part *parts, size_t count)
{
    struct publisher *publisher = handle;
    const size_t size = count == 0 ? 0 : parts[0].size;
    void *chunk;
    if (count > 1)
        return -EINVAL;
    if (size > publisher->max_bytes)
        return -EMSGSIZE;
    const int result = loan(publisher, size, &chunk);
    if (result < 0)
        return result;
    struct header *header = iox_chunk_header_to_user_header(iox_chunk_header_from_user_payload(chunk));
    header->size = size;
    if (size > 0)
        memcpy(chunk, parts[0].data, size);
    iox_pub_publish_chunk(publisher->port, chunk); /* waits for subscribers whose queue is full */
    return 0;
}

static void receive(void *context)
{
    struct subscriber *subscriber = context;
    while (!intake_is_closing(&subscriber->intake)) {
        const void *chunk;
        iox_notification_info_t why[2];
        uint64_t missed;
        iox_ws_wait(subscriber->waits, why, 2, &missed);
        while (!intake_is_closing(&subscriber->intake) &&
               iox_sub_take_chunk(subscriber->port, &chunk) == ChunkReceiveResult_SUCCESS) {
            const struct header *header =
                iox_chunk_header_to_user_header_const(iox_chunk_header_from_user_payload_const(chunk));
            const ipcmark_part part = {chunk, header->size};
            subscriber->deliver(subscriber->context, &part, 1);
            iox_sub_release_chunk(subscriber->port, chunk);
        }
    }
}

static void subscriber_free(void *context)
{
    struct subscriber *subscriber = context;
    if (subscriber->waits != NULL) {
        iox_ws_detach_subscriber_event(subscriber->waits, subscriber->port, SubscriberEvent_DATA_RECEIVED);
        iox_ws_detach_user_trigger_event(subscriber->waits, subscriber->bell);
        iox_user_trigger_deinit(subscriber->bell);
        iox_ws_deinit(subscriber->waits);
    }
    iox_sub_deinit(subscriber->port);
    free(subscriber);
}

static void wake(void *context)
{
    iox_user_trigger_trigger(((struct subscriber *)context)->bell);
}

static int attach(struct subscriber *subscriber)
{
    subscriber->waits = iox_ws_init(&subscriber->waits_storage);
    subscriber->bell = iox_user_trigger_init(&subscriber->bell_storage);
    if (iox_ws_attach_subscriber_event(subscriber->waits, subscriber->port, SubscriberEvent_DATA_RECEIVED, 0, NULL) !=
            WaitSetResult_SUCCESS ||
        iox_ws_attach_user_trigger_event(subscriber->waits, subscriber->bell, 0, NULL) != WaitSetResult_SUCCESS)
        return -ENOMEM;
    return 0;
}

static int iceoryx_subscriber_open(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *deliver,
                                   void *context)
{
    struct address address;
    iox_sub_options_t wanted;
    int result = prepare(options, &address);
    if (result < 0)
        return result;
    struct subscriber *subscriber = calloc(1, sizeof *subscriber);
    if (subscriber == NULL)
        return -ENOMEM;
    subscriber->deliver = deliver;
    subscriber->context = context;
    iox_sub_options_init(&wanted);
    wanted.queueCapacity = QUEUE;
    wanted.historyRequest = 0;
    wanted.queueFullPolicy = QueueFullPolicy_BLOCK_PRODUCER;
    wanted.subscribeOnCreate = false; /* only with somebody to take what comes */
    subscriber->port = iox_sub_init(&subscriber->storage, "ipcmark", address.instance, address.event, &wanted);
    result = attach(subscriber);
    if (result == 0)
        result = intake_start(&subscriber->intake, receive, subscriber_free, subscriber);
    if (result < 0) {
        subscriber_free(subscriber);
        return result;
    }
    iox_sub_subscribe(subscriber->port);
    result = wait_until(is_subscribed, subscriber);
    if (result < 0) {
        intake_close(&subscriber->intake, wake);
        return result;
    }
    *out = subscriber;
    return 0;
}

static void iceoryx_subscriber_close(void *handle)
{
    struct subscriber *subscriber = handle;
    intake_close(&subscriber->intake, wake);
}

/* Whether there is anybody is all that the library tells. */
static int iceoryx_peers(void *endpoint)
{
    (void)endpoint;
    return -ENOTSUP;
}

const ipcmark_driver *ipcmark_driver_get(void)
{
    static const ipcmark_driver driver = {
        .abi = IPCMARK_DRIVER_ABI,
        .size = sizeof driver,
        .name = "iceoryx",
        .version = PEER_VERSION,
        .summary = "Eclipse iceoryx: chunks of shared memory that a daemon manages",
        .homepage = "https://iceoryx.io",
        .capabilities = IPCMARK_CAP_EMPTY_MESSAGE | IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH |
                        IPCMARK_CAP_PUBLISH_IN_HANDLER | IPCMARK_CAP_CLOSE_IN_HANDLER |
                        IPCMARK_CAP_ISOLATION_DIRECTORY | IPCMARK_CAP_WHEN_FULL_BLOCK,
        .max_message_bytes = MESSAGE_MAX,
        .max_publishers = 500,  /* of 512 a RouDi, some of which it uses itself */
        .max_subscribers = 256, /* a publisher */
        .broker_open = roudi_open,
        .broker_close = roudi_close,
        .publisher_open = iceoryx_publisher_open,
        .publish = iceoryx_publish,
        .publisher_peers = iceoryx_peers,
        .publisher_close = iceoryx_publisher_close,
        .subscriber_open = iceoryx_subscriber_open,
        .subscriber_peers = iceoryx_peers,
        .subscriber_close = iceoryx_subscriber_close,
    };
    return &driver;
}
