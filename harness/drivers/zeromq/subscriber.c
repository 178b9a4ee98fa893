#include "intake.h"
#include "zeromq.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    FIRST_PARTS = 16, /* room for as many at first */
    RETRY_MS = 10,
    GRACE_MS = 100 /* libzmq reports the end of a connection a moment before it has passed on the last messages */
};

/* A publisher's address that the socket is connected to, or tries to be. */
struct source {
    struct source *next;
    char address[ROSTER_ADDRESS], id[ENDPOINT_NAME];
    bool is_listed;  /* its advertisement is there */
    bool is_counted; /* the connection is up */
    long long since; /* neither, since then */
};

struct subscriber {
    struct endpoint endpoint;
    struct roster *roster;
    struct zeromq zeromq;
    void *monitor;
    bool has_watcher;
    pthread_t watcher;
    int bell, watcher_bell;
    pthread_mutex_t lock; /* of the socket, which is for one thread at a time, and of the sources */
    struct source *sources;
    atomic_int count;
    struct intake intake;
    zmq_msg_t *messages; /* the parts of the one in hand, */
    ipcmark_part *parts; /* and where their bytes are */
    size_t capacity;
    ipcmark_deliver_fn *deliver;
    void *context;
};

/* With the lock. */
static struct source *find(const struct subscriber *subscriber, const char *address)
{
    struct source *source = subscriber->sources;
    while (source != NULL && strcmp(source->address, address) != 0)
        source = source->next;
    return source;
}

/* With the lock. A message may have come in meanwhile that the thread which waits for it has not been woken for. */
static int connect_to(struct subscriber *subscriber, const char *id, const char *address)
{
    struct source *source = calloc(1, sizeof *source);
    if (source == NULL)
        return -ENOMEM;
    snprintf(source->address, sizeof source->address, "%s", address);
    snprintf(source->id, sizeof source->id, "%s", id);
    source->next = subscriber->sources;
    subscriber->sources = source;
    if (zmq_connect(subscriber->zeromq.socket, address) == 0)
        return 0;
    const int error = errno;
    subscriber->sources = source->next;
    free(source);
    return -error;
}

static int joined(void *context, const char *id, const char *address, void **member)
{
    struct subscriber *subscriber = context;
    int result = 0;
    if (strncmp(address, ZEROMQ_ADDRESS, sizeof ZEROMQ_ADDRESS - 1) != 0)
        return -EINVAL;
    pthread_mutex_lock(&subscriber->lock);
    if (find(subscriber, address) == NULL)
        result = connect_to(subscriber, id, address);
    if (result == 0) {
        struct source *source = find(subscriber, address);
        source->is_listed = true;
        *member = source;
    }
    pthread_mutex_unlock(&subscriber->lock);
    bell_ring(subscriber->bell);
    return result;
}

/* What it published may still be on the way: the connection stays until it ends by itself. */
static void left(void *context, void *member)
{
    struct subscriber *subscriber = context;
    struct source *source = member;
    pthread_mutex_lock(&subscriber->lock);
    source->is_listed = false;
    source->since = clock_ms();
    pthread_mutex_unlock(&subscriber->lock);
    bell_ring(subscriber->bell);
}

static void count(struct subscriber *subscriber, const char *address, bool is_up)
{
    char id[ENDPOINT_NAME];
    pthread_mutex_lock(&subscriber->lock);
    struct source *source = find(subscriber, address);
    const bool changes = source != NULL && source->is_counted != is_up;
    if (changes) {
        source->is_counted = is_up;
        source->since = clock_ms();
        memcpy(id, source->id, sizeof id);
        atomic_fetch_add(&subscriber->count, is_up ? 1 : -1);
    }
    pthread_mutex_unlock(&subscriber->lock);
    if (!changes)
        return;
    if (!intake_is_closing(&subscriber->intake))
        endpoint_report(&subscriber->endpoint, id, is_up);
    if (!is_up)
        bell_ring(subscriber->bell);
}

/* What libzmq's own thread says of connections: a frame with the kind of event, and one with the address. */
static void *watch(void *context)
{
    struct subscriber *subscriber = context;
    zmq_pollitem_t waits[] = {{.fd = subscriber->watcher_bell, .events = ZMQ_POLLIN},
                              {.socket = subscriber->monitor, .events = ZMQ_POLLIN}};
    while (waits[0].revents == 0) {
        unsigned char event[6];
        char address[ROSTER_ADDRESS];
        while (zmq_recv(subscriber->monitor, event, sizeof event, ZMQ_DONTWAIT) == (int)sizeof event) {
            uint16_t kind;
            const int size = zmq_recv(subscriber->monitor, address, sizeof address - 1, 0);
            memcpy(&kind, event, sizeof kind);
            if (size < 0 || size >= (int)sizeof address)
                continue;
            address[size] = '\0';
            count(subscriber, address, kind == ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
        }
        zmq_poll(waits, 2, -1);
    }
    return NULL;
}

static int watch_start(struct subscriber *subscriber)
{
    static const char address[] = "inproc://connections"; /* in this context */
    int result = subscriber->watcher_bell = bell_open();
    if (result >= 0 && zmq_socket_monitor(subscriber->zeromq.socket, address,
                                          ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED) < 0)
        result = -errno;
    if (result >= 0) {
        subscriber->monitor = zmq_socket(subscriber->zeromq.context, ZMQ_PAIR);
        if (subscriber->monitor == NULL || zmq_connect(subscriber->monitor, address) < 0)
            result = -errno;
    }
    if (result >= 0)
        result = thread_start(&subscriber->watcher, watch, subscriber);
    subscriber->has_watcher = result >= 0;
    return result;
}

static void watch_stop(struct subscriber *subscriber)
{
    if (subscriber->has_watcher) {
        bell_ring(subscriber->watcher_bell);
        pthread_join(subscriber->watcher, NULL);
    }
    if (subscriber->zeromq.socket != NULL)
        zmq_socket_monitor(subscriber->zeromq.socket, NULL, 0);
    if (subscriber->monitor != NULL)
        zmq_close(subscriber->monitor);
    if (subscriber->watcher_bell >= 0)
        close(subscriber->watcher_bell);
}

/* ---- receiving ------------------------------------------------------------------------------------------------------
 */

static bool grow(struct subscriber *subscriber)
{
    const size_t capacity = subscriber->capacity == 0 ? FIRST_PARTS : 2 * subscriber->capacity;
    zmq_msg_t *messages = calloc(capacity, sizeof *messages);
    ipcmark_part *parts = calloc(capacity, sizeof *parts);
    if (messages == NULL || parts == NULL) {
        free(messages);
        free(parts);
        return false;
    }
    for (size_t i = 0; i < subscriber->capacity; ++i) {
        zmq_msg_init(&messages[i]);
        zmq_msg_move(&messages[i], &subscriber->messages[i]);
    }
    free(subscriber->messages);
    free(subscriber->parts);
    subscriber->messages = messages;
    subscriber->parts = parts;
    subscriber->capacity = capacity;
    return true;
}

/* Returns the number of parts; 0: there is no message. Its parts come all at once. */
static size_t take(struct subscriber *subscriber)
{
    size_t got = 0;
    bool more = true;
    pthread_mutex_lock(&subscriber->lock);
    while (more) {
        if (got == subscriber->capacity && !grow(subscriber)) {
            poll(NULL, 0, RETRY_MS); /* cut short it would be another message */
            continue;
        }
        zmq_msg_t *message = &subscriber->messages[got];
        zmq_msg_init(message);
        if (zmq_msg_recv(message, subscriber->zeromq.socket, ZMQ_DONTWAIT) < 0)
            break;
        more = zmq_msg_more(message) != 0;
        ++got;
    }
    pthread_mutex_unlock(&subscriber->lock);
    return got;
}

static void deliver(struct subscriber *subscriber, size_t parts)
{
    for (size_t i = 0; i < parts; ++i)
        subscriber->parts[i] =
            (ipcmark_part){zmq_msg_data(&subscriber->messages[i]), zmq_msg_size(&subscriber->messages[i])};
    subscriber->deliver(subscriber->context, subscriber->parts, parts);
    for (size_t i = 0; i < parts; ++i)
        zmq_msg_close(&subscriber->messages[i]);
}

/* Forgets who is gone for good: libzmq would try to connect for ever. It drops what is unread when told not to, so this
 * is for when there was nothing to read, `at` some time since they went. Returns how long to wait, in poll's terms. */
static int forget_the_gone(struct subscriber *subscriber, long long at)
{
    struct source **link = &subscriber->sources;
    int patience = -1;
    bool forgot = false;
    pthread_mutex_lock(&subscriber->lock);
    while (*link != NULL) {
        struct source *source = *link;
        const bool is_gone = !source->is_listed && !source->is_counted;
        if (is_gone && at - source->since > GRACE_MS) {
            *link = source->next;
            zmq_disconnect(subscriber->zeromq.socket, source->address);
            free(source);
            forgot = true;
            continue;
        }
        if (is_gone)
            patience = GRACE_MS;
        link = &source->next;
    }
    pthread_mutex_unlock(&subscriber->lock);
    return forgot ? 0 : patience; /* disconnecting may have taken the signal of a message */
}

static void receive(void *context)
{
    struct subscriber *subscriber = context;
    struct pollfd waits[] = {{.fd = subscriber->bell, .events = POLLIN},
                             {.fd = subscriber->zeromq.ready, .events = POLLIN}};
    while (!intake_is_closing(&subscriber->intake)) {
        const long long at = clock_ms();
        const size_t parts = take(subscriber);
        if (parts > 0) {
            deliver(subscriber, parts);
            continue;
        }
        poll(waits, 2, forget_the_gone(subscriber, at));
        if (waits[0].revents != 0)
            bell_clear(subscriber->bell);
    }
}

/* ---- opening and closing --------------------------------------------------------------------------------------------
 */

static void wake(void *context)
{
    bell_ring(((struct subscriber *)context)->bell);
}

static void subscriber_free(void *context)
{
    struct subscriber *subscriber = context;
    roster_close(subscriber->roster);
    watch_stop(subscriber);
    zeromq_close(&subscriber->zeromq);
    for (struct source *source; (source = subscriber->sources) != NULL;) {
        subscriber->sources = source->next;
        free(source);
    }
    if (subscriber->bell >= 0)
        close(subscriber->bell);
    pthread_mutex_destroy(&subscriber->lock);
    free(subscriber->messages);
    free(subscriber->parts);
    free(subscriber);
}

/* Everything, and what tells publishers who it is; in this order, so that who is known gets everything. */
static int subscribe(struct subscriber *subscriber, const ipcmark_endpoint *options)
{
    void *socket = subscriber->zeromq.socket;
    char topic[TOPIC];
    const int64_t most = (int64_t)subscriber->endpoint.max_bytes;
    identity_make(topic);
    memcpy(topic + TOKEN, subscriber->endpoint.id, ENDPOINT_NAME);
    int result = zeromq_set_mark(socket, ZMQ_RCVHWM, options);
    if (result == 0)
        result = zeromq_set(socket, ZMQ_RECONNECT_IVL_MAX, subscriber->endpoint.scan_interval_ms);
    if (result == 0 && (zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &most, sizeof most) < 0 ||
                        zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0) < 0 ||
                        zmq_setsockopt(socket, ZMQ_SUBSCRIBE, topic, TOKEN + strlen(subscriber->endpoint.id)) < 0))
        result = -errno;
    return result;
}

static int set_up(struct subscriber *subscriber, const ipcmark_endpoint *options)
{
    static const struct roster_kind kind = {.driver = "zeromq", .is_publisher = false, .joined = joined, .left = left};
    int result = subscriber->bell = bell_open();
    if (result >= 0)
        result = endpoint_copy(&subscriber->endpoint, options);
    if (result == 0)
        result = zeromq_open(&subscriber->zeromq, ZMQ_SUB);
    if (result == 0)
        result = subscribe(subscriber, options);
    if (result == 0)
        result = roster_open(&subscriber->roster, &subscriber->endpoint, options->directory, &kind, "", subscriber);
    if (result == 0)
        result = watch_start(subscriber);
    return result;
}

int zeromq_subscriber_open(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *deliver_, void *context)
{
    struct subscriber *subscriber = calloc(1, sizeof *subscriber);
    if (subscriber == NULL)
        return -ENOMEM;
    pthread_mutex_init(&subscriber->lock, NULL);
    subscriber->deliver = deliver_;
    subscriber->context = context;
    subscriber->bell = subscriber->watcher_bell = -1;
    int result = set_up(subscriber, options);
    if (result >= 0)
        result = intake_start(&subscriber->intake, receive, subscriber_free, subscriber);
    if (result < 0) {
        subscriber_free(subscriber);
        return result;
    }
    result = roster_start(subscriber->roster);
    if (result < 0) {
        intake_close(&subscriber->intake, wake);
        return result;
    }
    *out = subscriber;
    return 0;
}

int zeromq_subscriber_peers(void *handle)
{
    return atomic_load(&((struct subscriber *)handle)->count);
}

void zeromq_subscriber_close(void *handle)
{
    struct subscriber *subscriber = handle;
    intake_close(&subscriber->intake, wake);
}
