/* A driver without a transport: publish calls the receiver, in the same process and thread. What it measures is the
 * harness itself: making, filling, calling, checking and counting a message. One subscriber a channel.
 *
 * A message that is published from inside a handler waits, copied, until that handler has returned: the answer of an
 * answer of an answer would otherwise use up the stack. */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <ipcmark/driver.h>

struct endpoint {
    struct endpoint *next; /* of the subscribers */
    char channel[256];
    ipcmark_deliver_fn *deliver;
    void *context;
    struct endpoint *peer; /* of a publisher; NULL: not looked for yet, or not there */
};

enum { ASIDE_BYTES = 64 << 10 };

/* Of a thread that is inside a handler. Two places: what is being handed over may be answered. */
struct hand {
    bool inside;
    const struct endpoint *to; /* of the message that waits; NULL: none does */
    unsigned place;            /* where it is */
    size_t size;
    unsigned char bytes[2][ASIDE_BYTES];
};

static _Thread_local struct hand hand;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct endpoint *subscribers;

static struct endpoint *make(const ipcmark_endpoint *options)
{
    struct endpoint *endpoint = calloc(1, sizeof *endpoint);

    if (endpoint != NULL)
        strncpy(endpoint->channel, options->channel, sizeof endpoint->channel - 1);
    return endpoint;
}

static int subscriber_open(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *deliver, void *context)
{
    struct endpoint *endpoint = make(options);

    if (endpoint == NULL)
        return -ENOMEM;
    endpoint->deliver = deliver;
    endpoint->context = context;
    pthread_mutex_lock(&lock);
    endpoint->next = subscribers;
    subscribers = endpoint;
    pthread_mutex_unlock(&lock);
    *out = endpoint;
    return 0;
}

static int subscriber_peers(void *object)
{
    (void)object;
    return -ENOTSUP;
}

static void subscriber_close(void *object)
{
    struct endpoint **link = &subscribers;

    pthread_mutex_lock(&lock);
    while (*link != NULL && *link != object)
        link = &(*link)->next;
    if (*link != NULL)
        *link = (*link)->next;
    pthread_mutex_unlock(&lock);
    free(object);
}

static int publisher_open(void **out, const ipcmark_endpoint *options)
{
    struct endpoint *endpoint = make(options);

    if (endpoint == NULL)
        return -ENOMEM;
    *out = endpoint;
    return 0;
}

static int publisher_peers(void *object)
{
    struct endpoint *publisher = object, *subscriber;

    pthread_mutex_lock(&lock);
    for (subscriber = subscribers; subscriber != NULL; subscriber = subscriber->next)
        if (strcmp(subscriber->channel, publisher->channel) == 0)
            break;
    publisher->peer = subscriber;
    pthread_mutex_unlock(&lock);
    return subscriber != NULL;
}

/* One at most: a handler answers once. */
static int put_aside(const struct endpoint *peer, const ipcmark_part *parts, size_t count)
{
    if (count != 1)
        return -EINVAL;
    if (hand.to != NULL)
        return -EAGAIN;
    if (parts->size > ASIDE_BYTES)
        return -EMSGSIZE;
    hand.to = peer;
    hand.size = parts->size;
    memcpy(hand.bytes[hand.place], parts->data, parts->size);
    return 0;
}

static void hand_over_rest(void)
{
    while (hand.to != NULL) {
        const struct endpoint *peer = hand.to;
        ipcmark_part part = {hand.bytes[hand.place], hand.size};
        hand.to = NULL;
        hand.place ^= 1;
        peer->deliver(peer->context, &part, 1);
    }
}

static int publish(void *object, const ipcmark_part *parts, size_t count)
{
    const struct endpoint *peer = ((struct endpoint *)object)->peer;

    if (peer == NULL)
        return 0;
    if (hand.inside)
        return put_aside(peer, parts, count);
    hand.inside = true;
    peer->deliver(peer->context, parts, count);
    hand_over_rest();
    hand.inside = false;
    return 0;
}

static void publisher_close(void *object)
{
    free(object);
}

static const ipcmark_driver driver = {
    .abi = IPCMARK_DRIVER_ABI,
    .size = sizeof(ipcmark_driver),
    .name = "empty",
    .version = IPCMARK_VERSION,
    .summary = "No transport: what the harness itself costs; a limit, not an implementation",
    /* threads: so that no lock is taken around publish */
    .capabilities = IPCMARK_CAP_PEERS | IPCMARK_CAP_THREADS | IPCMARK_CAP_PUBLISH_IN_HANDLER,
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
