#include "endpoints.h"

#include "callers.h"
#include "intake.h"
#include "params.h"
#include "server.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

struct endpoint_state {
    struct client client;
    const struct flavour *flavour;
    void *state; /* the flavour's */
};

struct publisher {
    struct endpoint_state base;
    struct callers callers;
};

struct subscriber {
    struct endpoint_state base;
    struct intake intake;
    natsSubscription *subscription;
    long pending; /* bytes that may wait for the handler in the library, or -1: however many */
    ipcmark_deliver_fn *deliver;
    void *context;
    ipcmark_peer_fn *on_peer;
    void *peer_context;
};

static int base_open(struct endpoint_state *base, const ipcmark_endpoint *options, const struct flavour *flavour,
                     bool send_asap)
{
    int result = client_open(&base->client, options, flavour->prefix, send_asap);
    if (result < 0)
        return result;
    base->flavour = flavour;
    if (flavour->prepare != NULL)
        result = flavour->prepare(&base->client, options, &base->state);
    if (result < 0)
        client_close(&base->client);
    return result;
}

static void base_close(struct endpoint_state *base)
{
    if (base->flavour->dispose != NULL)
        base->flavour->dispose(base->state);
    client_close(&base->client);
}

int endpoints_publisher_open(void **out, const ipcmark_endpoint *options, const struct flavour *flavour, bool send_asap)
{
    struct publisher *publisher = calloc(1, sizeof *publisher);
    if (publisher == NULL)
        return -ENOMEM;
    const int result = base_open(&publisher->base, options, flavour, send_asap);
    if (result < 0) {
        free(publisher);
        return result;
    }
    callers_init(&publisher->callers);
    *out = publisher;
    return 0;
}

int endpoints_publish(void *handle, const ipcmark_part *parts, size_t count)
{
    struct publisher *publisher = handle;
    const struct endpoint_state *base = &publisher->base;
    if (count != 1)
        return -EINVAL; /* a message has one payload */
    if (parts[0].size > SERVER_MAX_PAYLOAD)
        return -EMSGSIZE;
    if (!callers_enter(&publisher->callers))
        return -ESHUTDOWN;
    const int result = base->flavour->send(&publisher->base.client, base->state, parts[0].data, parts[0].size);
    callers_leave(&publisher->callers);
    return result;
}

/* Whoever still waits for the server's answer is sent home without one. */
void endpoints_publisher_close(void *handle)
{
    struct publisher *publisher = handle;
    callers_refuse(&publisher->callers);
    client_disconnect(&publisher->base.client);
    callers_await(&publisher->callers);
    base_close(&publisher->base);
    free(publisher);
}

/* The server has cut us off or died, and whoever publishes will not be heard again: that shall not go unnoticed. */
static void lost(struct subscriber *subscriber)
{
    if (subscriber->on_peer != NULL && !intake_is_closing(&subscriber->intake))
        subscriber->on_peer(subscriber->peer_context, NULL, 0);
}

static void receive(void *context)
{
    struct subscriber *subscriber = context;
    natsStatus status = NATS_OK;
    while (!intake_is_closing(&subscriber->intake) &&
           (status == NATS_OK || status == NATS_TIMEOUT || status == NATS_SLOW_CONSUMER)) {
        natsMsg *message;
        status = natsSubscription_NextMsg(&message, subscriber->subscription, CLIENT_FOR_EVER_MS);
        if (status != NATS_OK)
            continue;
        if (!intake_is_closing(&subscriber->intake)) {
            subscriber->deliver(subscriber->context,
                                &(ipcmark_part){natsMsg_GetData(message), (size_t)natsMsg_GetDataLength(message)}, 1);
            if (subscriber->base.flavour->took != NULL)
                subscriber->base.flavour->took(message);
        }
        natsMsg_Destroy(message);
    }
    lost(subscriber);
    nats_ReleaseThreadMemory();
}

static void unsubscribe(void *context)
{
    natsSubscription_Unsubscribe(((struct subscriber *)context)->subscription);
}

static void subscriber_free(void *context)
{
    struct subscriber *subscriber = context;
    if (subscriber->subscription != NULL) {
        if (natsSubscription_IsValid(subscriber->subscription)) /* closed by its own handler */
            unsubscribe(subscriber);
        /* Its thread may still be passing a message to it, in this version of the library (upstream issue 637). */
        client_disconnect(&subscriber->base.client);
        natsSubscription_Destroy(subscriber->subscription);
    }
    base_close(&subscriber->base);
    free(subscriber);
}

/* When this returns the server has the subscription. No number of messages is a limit to what waits for the handler. */
static int subscribe(struct subscriber *subscriber)
{
    struct client *client = &subscriber->base.client;
    natsStatus status = subscriber->base.flavour->subscribe(client, subscriber->base.state, &subscriber->subscription);
    if (status == NATS_OK)
        status = natsSubscription_SetPendingLimits(subscriber->subscription, -1, (int)subscriber->pending);
    if (status == NATS_OK)
        status = natsConnection_FlushTimeout(client->connection, CLIENT_WAIT_MS);
    return client_error(status);
}

int endpoints_subscriber_open(void **out, const ipcmark_endpoint *options, const struct flavour *flavour,
                              ipcmark_deliver_fn *deliver, void *context)
{
    struct subscriber *subscriber = calloc(1, sizeof *subscriber);
    if (subscriber == NULL)
        return -ENOMEM;
    subscriber->deliver = deliver;
    subscriber->context = context;
    subscriber->on_peer = options->on_peer;
    subscriber->peer_context = options->peer_context;
    subscriber->pending = -1;
    int result = param_number(options, "pending", SERVER_MAX_PAYLOAD, INT_MAX, &subscriber->pending);
    if (result == 0)
        result = base_open(&subscriber->base, options, flavour, false);
    if (result < 0) {
        free(subscriber);
        return result;
    }
    result = subscribe(subscriber);
    if (result == 0)
        result = intake_start(&subscriber->intake, receive, subscriber_free, subscriber);
    if (result < 0) {
        subscriber_free(subscriber);
        return result;
    }
    *out = subscriber;
    return 0;
}

void endpoints_subscriber_close(void *handle)
{
    struct subscriber *subscriber = handle;
    intake_close(&subscriber->intake, unsubscribe);
}

int endpoints_peers(void *endpoint)
{
    (void)endpoint;
    return -ENOTSUP;
}
