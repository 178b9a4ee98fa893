#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "broker.h"

/* The broker would take a stopped client for dead after one and a half times this: the longest that there is. */
enum { KEEPALIVE_S = 65535, OPEN_WITHIN_S = 10 };

int client_error(int code)
{
    switch (code) {
    case MOSQ_ERR_SUCCESS:
        return 0;
    case MOSQ_ERR_NOMEM:
        return -ENOMEM;
    case MOSQ_ERR_PAYLOAD_SIZE:
    case MOSQ_ERR_OVERSIZE_PACKET:
        return -EMSGSIZE;
    case MOSQ_ERR_NO_CONN:
    case MOSQ_ERR_CONN_LOST:
        return -ENOTCONN;
    case MOSQ_ERR_ERRNO:
        return errno != 0 ? -errno : -EIO;
    default:
        return -EIO;
    }
}

/* Topics are UTF-8, have levels, and wildcards: whatever may be none of a plain name's characters is written as %XX. */
static int make_topic(char topic[TOPIC], const char *channel)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    char *at = topic;
    if (channel == NULL || channel[0] == '\0')
        return -EINVAL;
    if (strlen(channel) > (TOPIC - 1) / 3)
        return -ENAMETOOLONG;
    for (; *channel != '\0'; ++channel)
        if (strchr(plain, *channel) != NULL)
            *at++ = *channel;
        else
            at += sprintf(at, "%%%02X", (unsigned char)*channel);
    *at = '\0';
    return 0;
}

static void set_state(struct client *client, int state)
{
    pthread_mutex_lock(&client->lock);
    client->state = state;
    pthread_cond_broadcast(&client->changed);
    for (struct waiter *waiter = client->waiters; waiter != NULL && state == LOST; waiter = waiter->next)
        pthread_cond_signal(&waiter->changed);
    pthread_mutex_unlock(&client->lock);
}

static void on_connect(struct mosquitto *mosquitto, void *context, int refusal)
{
    struct client *client = context;
    if (refusal != 0 || (client->deliver != NULL &&
                         mosquitto_subscribe(mosquitto, NULL, client->topic, 1 /* QoS */) != MOSQ_ERR_SUCCESS))
        set_state(client, LOST);
    else if (client->deliver == NULL)
        set_state(client, OPEN);
}

static void on_subscribe(struct mosquitto *mosquitto, void *context, int id, int count, const int *granted)
{
    (void)mosquitto, (void)id;
    set_state(context, count == 1 && granted[0] == 1 ? OPEN : LOST);
}

static void on_publish(struct mosquitto *mosquitto, void *context, int id)
{
    struct client *client = context;
    (void)mosquitto;
    pthread_mutex_lock(&client->lock);
    for (struct waiter *waiter = client->waiters; waiter != NULL; waiter = waiter->next)
        if (waiter->id == id) {
            waiter->acknowledged = true;
            pthread_cond_signal(&waiter->changed);
        }
    pthread_mutex_unlock(&client->lock);
}

/* One call of mosquitto_loop() may take several messages. */
static void on_message(struct mosquitto *mosquitto, void *context, const struct mosquitto_message *message)
{
    struct client *client = context;
    (void)mosquitto;
    if (!intake_is_closing(&client->intake))
        client->deliver(client->context, &(ipcmark_part){message->payload, (size_t)message->payloadlen}, 1);
}

static void run(void *context)
{
    struct client *client = context;
    while (!intake_is_closing(&client->intake) && mosquitto_loop(client->mosquitto, -1, 1) == MOSQ_ERR_SUCCESS)
        ;
    if (client->deliver != NULL && client->on_peer != NULL && client->state == OPEN &&
        !intake_is_closing(&client->intake))
        client->on_peer(client->peer_context, NULL, 0); /* the broker has cut it off, or is gone */
    set_state(client, LOST);
}

static void finish(void *context)
{
    struct client *client = context;
    mosquitto_destroy(client->mosquitto);
    pthread_cond_destroy(&client->changed);
    pthread_mutex_destroy(&client->lock);
    free(client);
}

static void wake(void *context)
{
    struct client *client = context;
    mosquitto_disconnect(client->mosquitto);
}

/* What is written, the thread writes, in which no SIGPIPE is raised: hence `threaded`. */
static int connect_client(struct client *client, const ipcmark_endpoint *options)
{
    char host[BROKER_HOST];
    int port, result = broker_address(options, host, &port);
    if (result < 0)
        return result;
    mosquitto_threaded_set(client->mosquitto, true);
    mosquitto_int_option(client->mosquitto, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_connect_callback_set(client->mosquitto, on_connect);
    mosquitto_subscribe_callback_set(client->mosquitto, on_subscribe);
    mosquitto_publish_callback_set(client->mosquitto, on_publish);
    mosquitto_message_callback_set(client->mosquitto, on_message);
    errno = 0;
    result = client_error(mosquitto_connect(client->mosquitto, host, port, KEEPALIVE_S));
    if (result == 0) /* a child that inherited it would keep us alive for the broker */
        fcntl(mosquitto_socket(client->mosquitto), F_SETFD, FD_CLOEXEC);
    return result;
}

static int await_open(struct client *client)
{
    struct timespec until;
    int result = 0;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += OPEN_WITHIN_S;
    pthread_mutex_lock(&client->lock);
    while (client->state == OPENING && result == 0)
        result = -pthread_cond_clockwait(&client->changed, &client->lock, CLOCK_MONOTONIC, &until);
    if (client->state == LOST)
        result = -ECONNREFUSED;
    pthread_mutex_unlock(&client->lock);
    return result;
}

static void begin(void)
{
    mosquitto_lib_init();
}

int client_open(struct client **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *deliver, void *context)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return -ENOMEM;
    pthread_once(&once, begin);
    pthread_mutex_init(&client->lock, NULL);
    pthread_cond_init(&client->changed, NULL);
    callers_init(&client->callers);
    client->deliver = deliver;
    client->context = context;
    client->on_peer = options->on_peer;
    client->peer_context = options->peer_context;
    client->max_bytes = options->max_message_bytes;
    if (client->max_bytes == 0 || client->max_bytes > MESSAGE_MAX)
        client->max_bytes = MESSAGE_MAX;
    client->mosquitto = mosquitto_new(NULL /* the library makes a name */, true, client);
    int result = client->mosquitto == NULL ? -ENOMEM : make_topic(client->topic, options->channel);
    if (result == 0)
        result = connect_client(client, options);
    if (result == 0)
        result = intake_start(&client->intake, run, finish, client);
    if (result < 0) {
        finish(client);
        return result;
    }
    result = await_open(client);
    if (result < 0)
        client_close(client);
    else
        *out = client;
    return result;
}

void client_close(struct client *client)
{
    intake_close(&client->intake, wake);
}
