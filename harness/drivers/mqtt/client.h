/* A client of the broker, and the thread that runs it. */
#ifndef MQTT_CLIENT_H
#define MQTT_CLIENT_H

#include "callers.h"
#include "intake.h"
#include "ipcmark/driver.h"

#include <mosquitto.h>
#include <pthread.h>
#include <stdbool.h>

enum { TOPIC = 3 * 255 + 1, MESSAGE_MAX = (256 << 20) - 1024 /* a packet has 256 MiB - 1, with its topic */ };

/* A publish that waits for its PUBACK. */
struct waiter {
    struct waiter *next;
    int id; /* of the packet */
    bool acknowledged;
    pthread_cond_t changed;
};

struct client {
    struct mosquitto *mosquitto;
    struct intake intake;
    char topic[TOPIC];
    size_t max_bytes;
    ipcmark_deliver_fn *deliver; /* NULL: it is a publisher */
    void *context;
    ipcmark_peer_fn *on_peer;
    void *peer_context;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum { OPENING, OPEN, LOST } state;
    struct waiter *waiters;
    struct callers callers; /* of publish */
};

/* Returns once the broker knows the client and, of a subscriber, its subscription. */
int client_open(struct client **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *deliver, void *context);
/* Called by its own handler: what is left to be done, the thread does. */
void client_close(struct client *client);

/* The -errno of a MOSQ_ERR_…. */
int client_error(int code);

#endif
