/* MQTT 3.1.1 through libmosquitto, QoS 1: publish returns when the broker has acknowledged the message, which is when
 * it has queued it for each subscriber. */
#include <errno.h>
#include <stdio.h>

#include "broker.h"
#include "client.h"
#include "params.h"

#define TEXT_(number) #number
#define TEXT(number)  TEXT_(number)

/* max_queued_messages: 1000 by default, beyond which a subscriber loses messages and nobody is told; 0 is no limit.
 * max_inflight_messages: how many a subscriber may be sent before it has acknowledged the first. 20 by default, which
 * is little; without a limit there might be more of them than ids of packets, of 16 bits.
 * user: the broker would else become another user, and the kernel forget that it is to die with us. */
static int configure(FILE *file, const ipcmark_endpoint *options, unsigned port, const char *folder)
{
    long queue = 0;
    const int result = param_number(options, "queue", 0, 1 << 30, &queue);
    (void)folder;
    fprintf(file, "listener %u 127.0.0.1\nallow_anonymous true\nuser root\n", port);
    fputs("log_dest stderr\nlog_type error\nlog_type warning\nlog_type information\n"
          "connection_messages false\npersistence false\nset_tcp_nodelay true\nsys_interval 0\n"
          "max_inflight_messages 1000\nmessage_size_limit 0\n",
          file);
    fprintf(file, "max_queued_messages %ld\n", queue);
    return result;
}

static int mqtt_broker_open(void **out, const ipcmark_endpoint *options, char *address, size_t address_size)
{
    static const struct broker_kind kind = {
        .program = PEER_PROGRAM, .option = "-c", .ready = " running", .configure = configure};
    return broker_open(out, options, &kind, address, address_size);
}

static int mqtt_publisher_open(void **out, const ipcmark_endpoint *options)
{
    struct client *client;
    const int result = client_open(&client, options, NULL, NULL);
    if (result == 0)
        *out = client;
    return result;
}

static void forget(struct client *client, const struct waiter *waiter)
{
    struct waiter **at = &client->waiters;
    while (*at != waiter)
        at = &(*at)->next;
    *at = waiter->next;
}

/* With the lock, without which a PUBACK could come before anybody waits for it. */
static int publish_and_wait(struct client *client, const ipcmark_part *part)
{
    struct waiter self = {.next = client->waiters, .changed = PTHREAD_COND_INITIALIZER};
    if (callers_refused(&client->callers))
        return -ESHUTDOWN;
    if (client->state == LOST)
        return -ENOTCONN;
    errno = 0;
    int result = client_error(
        mosquitto_publish(client->mosquitto, &self.id, client->topic, (int)part->size, part->data, 1 /* QoS */, false));
    if (result < 0)
        return result;
    client->waiters = &self;
    while (!self.acknowledged && client->state != LOST)
        pthread_cond_wait(&self.changed, &client->lock);
    forget(client, &self);
    pthread_cond_destroy(&self.changed);
    return self.acknowledged ? 0 : -ECONNRESET;
}

static int mqtt_publish(void *handle, const ipcmark_part *parts, size_t count)
{
    struct client *client = handle;
    if (count != 1)
        return -EINVAL;
    if (parts[0].size > client->max_bytes)
        return -EMSGSIZE;
    if (!callers_enter(&client->callers))
        return -ESHUTDOWN;
    pthread_mutex_lock(&client->lock);
    const int result = publish_and_wait(client, &parts[0]);
    pthread_mutex_unlock(&client->lock);
    callers_leave(&client->callers);
    return result;
}

/* The acknowledgements that publishes wait for come soon. */
static void mqtt_publisher_close(void *handle)
{
    struct client *client = handle;
    callers_refuse(&client->callers);
    callers_await(&client->callers);
    client_close(client);
}

static int mqtt_subscriber_open(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *deliver, void *context)
{
    struct client *client;
    const int result = client_open(&client, options, deliver, context);
    if (result == 0)
        *out = client;
    return result;
}

static void mqtt_subscriber_close(void *handle)
{
    client_close(handle);
}

const ipcmark_driver *ipcmark_driver_get(void)
{
    static const ipcmark_driver driver = {
        .abi = IPCMARK_DRIVER_ABI,
        .size = sizeof driver,
        .name = "mqtt",
        .version = "mosquitto " PEER_VERSION ", libmosquitto " TEXT(LIBMOSQUITTO_MAJOR) "." TEXT(
            LIBMOSQUITTO_MINOR) "." TEXT(LIBMOSQUITTO_REVISION),
        .summary = "MQTT through libmosquitto, QoS 1: a broker that keeps what each subscriber has not acknowledged",
        .homepage = "https://mosquitto.org",
        .capabilities = IPCMARK_CAP_EMPTY_MESSAGE | IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH | IPCMARK_CAP_THREADS |
                        IPCMARK_CAP_PUBLISH_IN_HANDLER | IPCMARK_CAP_CLOSE_IN_HANDLER | IPCMARK_CAP_DURABLE_PAUSE,
        .max_message_bytes = MESSAGE_MAX,
        .broker_open = mqtt_broker_open,
        .broker_close = broker_close,
        .publisher_open = mqtt_publisher_open,
        .publish = mqtt_publish,
        .publisher_close = mqtt_publisher_close,
        .subscriber_open = mqtt_subscriber_open,
        .subscriber_close = mqtt_subscriber_close,
    };
    return &driver;
}
