/* Publishers and subscribers over NATS; core NATS and JetStream differ in how one subscribes, sends and says thanks. */
#ifndef NATS_ENDPOINTS_H
#define NATS_ENDPOINTS_H

#include "client.h"

#include <stdbool.h>

struct flavour {
    const char *prefix; /* first word of its subjects */
    /* All but send are called once; *state, or NULL, is for the flavour. */
    int (*prepare)(struct client *client, const ipcmark_endpoint *options, void **state);
    int (*send)(struct client *client, void *state, const void *data, size_t size);
    natsStatus (*subscribe)(struct client *client, void *state, natsSubscription **out);
    void (*took)(natsMsg *message); /* it has been delivered */
    void (*dispose)(void *state);
};

int endpoints_publisher_open(void **out, const ipcmark_endpoint *options, const struct flavour *flavour,
                             bool send_asap);
int endpoints_publish(void *publisher, const ipcmark_part *parts, size_t count);
void endpoints_publisher_close(void *publisher);

int endpoints_subscriber_open(void **out, const ipcmark_endpoint *options, const struct flavour *flavour,
                              ipcmark_deliver_fn *deliver, void *context);
void endpoints_subscriber_close(void *subscriber);

/* Neither kind knows of the others. */
int endpoints_peers(void *endpoint);

#endif
