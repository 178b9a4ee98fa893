/* What both ends share. */
#ifndef NNG_DRIVER_H
#define NNG_DRIVER_H

#include "roster.h"

#include <nng/nng.h>

#define NNG_DRIVER_ADDRESS "abstract://ipcmark-" /* nothing is left of it when its owner is killed */

/* -errno for what nng returned; 0 stays 0. */
int nng_driver_error(int result);
/* How many messages a queue may hold: what does not fit is lost. The parameter "queue", if it is given. */
int nng_driver_queue(const ipcmark_endpoint *options, int *length);

/* The pipes of a socket, which is what nng calls connections. */
struct pipe {
    struct pipe *next;
    int id, dialer;
    bool is_counted;
    char peer[ENDPOINT_NAME];
};

struct company {
    const struct endpoint *endpoint;
    /* Whose pipe it is; false: it is nobody's. Called with the lock. */
    bool (*name)(void *context, nng_pipe pipe, char peer[ENDPOINT_NAME]);
    void *context;
    pthread_mutex_t lock;
    struct pipe *pipes;
    int count;
    bool closing; /* nobody is to be told any more, and no dialer whose pipe ends to dial again */
};

int company_open(struct company *company, nng_socket socket);
/* Once the socket is closed. */
void company_close(struct company *company);
void company_silence(struct company *company);
int company_count(struct company *company);
bool company_has_any(struct company *company); /* counted or not */
/* With the lock. */
bool company_has_dialer(const struct company *company, int dialer);

int nng_publisher_open(void **out, const ipcmark_endpoint *options);
int nng_publish(void *publisher, const ipcmark_part *parts, size_t count);
int nng_publisher_peers(void *publisher);
void nng_publisher_close(void *publisher);

int nng_subscriber_open(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *deliver, void *context);
int nng_subscriber_peers(void *subscriber);
void nng_subscriber_close(void *subscriber);

#endif
