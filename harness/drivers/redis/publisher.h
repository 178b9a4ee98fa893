/* A publisher's connection, which its threads use in turn: each waits for the server's answer.
 *
 * One that broke is opened anew by the next to come: until then the server may be gone. */
#ifndef REDIS_PUBLISHER_H
#define REDIS_PUBLISHER_H

#include <pthread.h>

#include "broker.h"
#include "callers.h"
#include "connection.h"

enum { CHANNEL = 256 };

struct publisher {
    struct callers callers;
    pthread_mutex_t lock;
    pthread_cond_t turn;
    bool busy;
    int port;
    char host[BROKER_HOST], channel[CHANNEL];
    redisContext *connection;
    size_t max_bytes;
    size_t bytes, messages; /* since the backlog was last looked at; for streams */
};

/* -EINVAL, -EMSGSIZE: this is no message that can be published. */
int publisher_check(const struct publisher *publisher, const ipcmark_part *parts, size_t count);
/* Around the use of the connection. -ESHUTDOWN: the publisher is being closed. */
int publisher_enter(struct publisher *publisher);
void publisher_leave(struct publisher *publisher);

/* limit: bytes that a message may have. */
int publisher_open(struct publisher **out, const ipcmark_endpoint *options, size_t limit);
/* Waits until those inside have left; from then on the connection is the caller's. */
void publisher_stop(struct publisher *publisher);
void publisher_free(struct publisher *publisher);

/* What is kept of a channel's name: -ENAMETOOLONG, -EINVAL. */
int channel_copy(char out[CHANNEL], const ipcmark_endpoint *options);

#endif
