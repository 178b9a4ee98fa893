#include "callers.h"
#include "connection.h"
#include "loop.h"
#include "roster.h"
#include "websocket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct publisher {
    struct endpoint endpoint;
    struct roster *roster;
    struct loop loop;
    char path[1 + IDENTITY_TEXT];

    struct gate gate;
    struct connection *connections; /* changed by the loop's thread alone, under the lock: it may read without */
    atomic_int count;
    uint64_t number; /* of the last message */
    struct callers callers;

    atomic_bool deserted; /* closing, and nobody is inside any more */
    bool leaving;         /* the loop's own */
};

/* ---- in the loop's thread ---------------------------------------------------------------------------------------- */

/* Strangers are turned away before they are anybody. */
static int admit(const struct publisher *publisher, struct lws *wsi)
{
    char path[sizeof publisher->path];
    return lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI) > 0 && strcmp(path, publisher->path) == 0 ? 0 : -1;
}

/* From here on it gets everything. */
static int greet(struct publisher *publisher, struct connection *connection, struct lws *wsi)
{
    const char *const id = publisher->endpoint.id;
    struct message *welcome = message_make(id, strlen(id));
    if (welcome == NULL)
        return -1;
    pthread_mutex_lock(&publisher->gate.lock);
    const bool is_let_in = !callers_refused(&publisher->callers) && connection_reserve(connection) == 0;
    if (is_let_in) {
        connection_begin(connection, wsi, publisher->number);
        connection_enter(connection, welcome, publisher->number);
        connection->next = publisher->connections;
        publisher->connections = connection;
        atomic_fetch_add(&publisher->count, 1);
    }
    pthread_mutex_unlock(&publisher->gate.lock);
    message_release(welcome);
    if (!is_let_in)
        return -1;
    endpoint_report(&publisher->endpoint, connection->id, true);
    lws_callback_on_writable(wsi);
    return 0;
}

/* The one message that a subscriber sends is its id. */
static int receive(struct publisher *publisher, struct connection *connection, struct lws *wsi, const void *data,
                   size_t size)
{
    if (connection->is_greeted || size >= sizeof connection->id - connection->id_size)
        return -1;
    memcpy(connection->id + connection->id_size, data, size);
    connection->id_size += size;
    return lws_is_final_fragment(wsi) ? greet(publisher, connection, wsi) : 0;
}

static int write_on(struct publisher *publisher, struct connection *connection)
{
    const int result = connection->is_greeted ? connection_write(connection, &publisher->gate) : 0;
    if (result > 0)
        lws_callback_on_writable(connection->wsi);
    if (result != 0 || !publisher->leaving || !connection->is_greeted)
        return result < 0 ? -1 : 0;
    lws_close_reason(connection->wsi, LWS_CLOSE_STATUS_GOINGAWAY, NULL, 0);
    return -1;
}

static void forget(struct publisher *publisher, struct connection *connection)
{
    if (!connection->is_greeted)
        return;
    struct connection **at = &publisher->connections;
    pthread_mutex_lock(&publisher->gate.lock);
    while (*at != connection)
        at = &(*at)->next;
    *at = connection->next;
    atomic_fetch_sub(&publisher->count, 1);
    pthread_cond_broadcast(&publisher->gate.turn);
    pthread_mutex_unlock(&publisher->gate.lock);
    if (!callers_refused(&publisher->callers))
        endpoint_report(&publisher->endpoint, connection->id, false);
    connection_end(connection);
    if (publisher->leaving && publisher->connections == NULL)
        loop_end(&publisher->loop);
}

/* What is to be delivered has room in the sockets, also in those that the library does not take for writeable. */
static void leave(struct publisher *publisher)
{
    publisher->leaving = true;
    loop_end_soon(&publisher->loop);
    if (publisher->connections == NULL)
        loop_end(&publisher->loop);
    for (struct connection *each = publisher->connections; each != NULL; each = each->next) {
        pthread_mutex_lock(&publisher->gate.lock);
        const bool is_whole = connection_cut(each);
        pthread_mutex_unlock(&publisher->gate.lock);
        if (is_whole && connection_write(each, &publisher->gate) >= 0)
            lws_callback_on_writable(each->wsi);
        else
            lws_set_timeout(each->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    }
}

static void look_around(struct publisher *publisher)
{
    loop_awake(&publisher->loop);
    pthread_mutex_lock(&publisher->gate.lock);
    for (struct connection *each = publisher->connections; each != NULL; each = each->next)
        if (each->inbox.count > 0)
            lws_callback_on_writable(each->wsi);
    pthread_mutex_unlock(&publisher->gate.lock);
    if (atomic_load(&publisher->deserted) && !publisher->leaving)
        leave(publisher);
}

static int serve(struct lws *wsi, enum lws_callback_reasons reason, void *session, void *in, size_t size)
{
    struct publisher *const publisher = loop_owner(wsi);
    switch ((int)reason) {
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return admit(publisher, wsi);
    case LWS_CALLBACK_RECEIVE:
        return receive(publisher, session, wsi, in, size);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return write_on(publisher, session);
    case LWS_CALLBACK_CLOSED:
        forget(publisher, session);
        return 0;
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        look_around(publisher);
        return 0;
    default:
        return lws_callback_http_dummy(wsi, reason, session, in, size);
    }
}

/* ---- in any thread ----------------------------------------------------------------------------------------------- */

static void publisher_free(struct publisher *publisher)
{
    roster_close(publisher->roster);
    loop_close(&publisher->loop);
    pthread_cond_destroy(&publisher->gate.turn);
    pthread_mutex_destroy(&publisher->gate.lock);
    free(publisher);
}

static int publisher_start(struct publisher *publisher, const char *directory)
{
    static const struct loop_kind loop = {
        .callback = serve, .session_bytes = sizeof(struct connection), .receive_bytes = 4096};
    static const struct roster_kind roster = {.driver = WEBSOCKET_DRIVER, .is_publisher = true};
    char address[ROSTER_ADDRESS];
    publisher->path[0] = '/';
    identity_make(publisher->path + 1);
    int result = loop_open(&publisher->loop, &loop, publisher);
    if (result < 0)
        return result;
    snprintf(address, sizeof address, "%d %s", loop_port(&publisher->loop), publisher->path);
    result = roster_open(&publisher->roster, &publisher->endpoint, directory, &roster, address, publisher);
    if (result == 0)
        result = loop_start(&publisher->loop);
    return result;
}

int websocket_publisher_open(void **out, const ipcmark_endpoint *options)
{
    struct publisher *publisher = calloc(1, sizeof *publisher);
    if (publisher == NULL)
        return -ENOMEM;
    pthread_mutex_init(&publisher->gate.lock, NULL);
    pthread_cond_init(&publisher->gate.turn, NULL);
    callers_init(&publisher->callers);
    int result = endpoint_copy(&publisher->endpoint, options);
    if (result == 0)
        result = publisher_start(publisher, options->directory);
    if (result == 0 && (result = roster_start(publisher->roster)) == 0) {
        *out = publisher;
        return 0;
    }
    if (publisher->loop.is_running)
        websocket_publisher_close(publisher);
    else
        publisher_free(publisher);
    return result;
}

/* With the lock. For all connections or none. */
static int enter(struct publisher *publisher, struct message *message)
{
    for (struct connection *each = publisher->connections; each != NULL; each = each->next)
        if (connection_reserve(each) < 0)
            return -ENOMEM;
    ++publisher->number;
    for (struct connection *each = publisher->connections; each != NULL; each = each->next)
        connection_enter(each, message, publisher->number);
    return 0;
}

/* With the lock. Those who came later are safe from the beginning. */
static bool is_safe(const struct publisher *publisher, uint64_t number)
{
    for (const struct connection *each = publisher->connections; each != NULL; each = each->next)
        if (each->safe < number)
            return false;
    return true;
}

/* With the lock, which is released meanwhile. */
static void await_safety(struct publisher *publisher, uint64_t number)
{
    if (is_safe(publisher, number))
        return;
    websocket_wait_begin();
    ++publisher->gate.waiting;
    while (!is_safe(publisher, number) && !callers_refused(&publisher->callers))
        pthread_cond_wait(&publisher->gate.turn, &publisher->gate.lock);
    --publisher->gate.waiting;
    websocket_wait_end();
}

/* With the lock, which is released meanwhile. */
static int publish(struct publisher *publisher, struct message *message)
{
    const int result = callers_refused(&publisher->callers) ? -ESHUTDOWN : enter(publisher, message);
    const uint64_t number = publisher->number;
    if (result < 0 || publisher->connections == NULL)
        return result;
    if (loop_claim(&publisher->loop)) {
        pthread_mutex_unlock(&publisher->gate.lock);
        loop_ring(&publisher->loop);
        pthread_mutex_lock(&publisher->gate.lock);
    }
    await_safety(publisher, number);
    return is_safe(publisher, number) ? 0 : -ESHUTDOWN;
}

int websocket_publish(void *handle, const ipcmark_part *parts, size_t count)
{
    struct publisher *publisher = handle;
    const ipcmark_part part = count > 0 ? parts[0] : (ipcmark_part){NULL, 0};
    if (count > 1)
        return -EINVAL;
    if (part.size > publisher->endpoint.max_bytes)
        return -EMSGSIZE;
    struct message *message = message_make(part.data, part.size);
    if (message == NULL)
        return -ENOMEM;
    int result = -ESHUTDOWN;
    if (callers_enter(&publisher->callers)) {
        pthread_mutex_lock(&publisher->gate.lock);
        result = publish(publisher, message);
        pthread_mutex_unlock(&publisher->gate.lock);
        callers_leave(&publisher->callers);
    }
    message_release(message);
    return result;
}

int websocket_publisher_peers(void *handle)
{
    return atomic_load(&((struct publisher *)handle)->count);
}

void websocket_publisher_close(void *handle)
{
    struct publisher *publisher = handle;
    callers_refuse(&publisher->callers);
    pthread_mutex_lock(&publisher->gate.lock);
    pthread_cond_broadcast(&publisher->gate.turn);
    pthread_mutex_unlock(&publisher->gate.lock);
    callers_await(&publisher->callers);
    atomic_store(&publisher->deserted, true);
    roster_close(publisher->roster);
    publisher->roster = NULL;
    loop_wake(&publisher->loop);
    publisher_free(publisher);
}
