/* libmmipc as anybody would use it: default options, messages pushed to a callback. */
#include "transport.h"

#include <errno.h>
#include <stdlib.h>

#include <mmipc/mmipc.h>

enum { PATIENCE_MS = 10000 };

struct receiver {
    mmipc_subscriber *subscriber;
    message_handler *handler;
    void *user;
};

static void take(void *user, const mmipc_part *parts, size_t count)
{
    struct receiver *receiver = user;
    receiver->handler(receiver->user, count == 1 ? parts[0].data : NULL, count == 1 ? parts[0].size : 0);
}

static int receiver_open(void **out, const struct place *place, message_handler *handler, void *user)
{
    struct receiver *receiver = malloc(sizeof *receiver);
    mmipc_options options;
    int result;

    if (receiver == NULL)
        return -ENOMEM;
    *receiver = (struct receiver){.handler = handler, .user = user};
    mmipc_options_init(&options, sizeof options);
    options.spin_us = place->spin_us;
    result = mmipc_subscriber_open(&receiver->subscriber, place->name, place->directory, take, receiver, &options);
    if (result < 0)
        free(receiver);
    else
        *out = receiver;
    return result;
}

static void receiver_close(void *object)
{
    struct receiver *receiver = object;
    mmipc_subscriber_close(receiver->subscriber);
    free(receiver);
}

static int sender_open(void **out, const struct place *place)
{
    mmipc_publisher *publisher;
    int result = mmipc_publisher_open(&publisher, place->name, place->directory, NULL);

    if (result < 0)
        return result;
    result = mmipc_publisher_wait_connected(publisher, (int)place->peers, PATIENCE_MS);
    if (result < 0)
        mmipc_publisher_close(publisher);
    else
        *out = publisher;
    return result;
}

static int send_message(void *object, const void *data, size_t size)
{
    return mmipc_publish(object, data, size);
}

static void sender_close(void *object)
{
    mmipc_publisher_close(object);
}

const struct transport transport_mmipc = {"mmipc",     receiver_open, receiver_close,
                                          sender_open, send_message,  sender_close};
