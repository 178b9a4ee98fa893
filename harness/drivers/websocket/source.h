/* A publisher as its subscriber sees it: a connection that is made again when it fails, and a message that is being put
 * together. What is delivered slowly is read slowly: beyond a limit the connection is not read. */
#ifndef WEBSOCKET_SOURCE_H
#define WEBSOCKET_SOURCE_H

#include "stream.h"

#include <libwebsockets.h>
#include <stdatomic.h>

struct source;

/* A message that came. */
struct arrival {
    struct arrival *next;
    struct source *source;
    size_t size, capacity;
    unsigned char data[];
};

struct arrivals {
    struct arrival *first, **end;
};

void arrivals_clear(struct arrivals *arrivals); /* makes it an empty one */
void arrivals_add(struct arrivals *arrivals, struct arrival *arrival);
void arrivals_move(struct arrivals *to, struct arrivals *from);
void arrival_free(struct arrival *arrival);

struct source {
    struct source *next;
    atomic_uint references; /* the loop's own, the roster's, and one for each message that was not delivered yet */
    atomic_bool is_gone;    /* its advertisement is */
    atomic_bool is_stopped; /* it is not read */
    atomic_size_t held;     /* bytes of messages that were not delivered yet */
    char id[ENDPOINT_NAME], path[1 + IDENTITY_TEXT];
    int port;

    /* The loop's own. */
    struct lws_context *context;
    struct lws *wsi; /* or NULL */
    bool has_said_hello, is_counted, is_waiting;
    lws_sorted_usec_list_t retry;
    struct arrival *incomplete;
};

/* -EINVAL: that is no address; -ENOMEM. */
int source_make(struct source **out, const char *id, const char *address);
void source_release(struct source *source);

/* The loop's thread. */
void source_connect(struct source *source);
/* It has no connection (any more): makes another one soon, unless it is gone. */
void source_disconnected(struct source *source);
/* Says who has connected, once. -1: it could not. */
int source_hello(struct source *source, const char id[ENDPOINT_NAME]);
/* Takes a piece of a message. *out: the message if that was its last one, else NULL. -1: what came is too much. */
int source_receive(struct source *source, const void *data, size_t size, size_t max_bytes, struct arrival **out);
/* Reads no more if this much is held, and again if it is not half of it. */
void source_throttle(struct source *source, size_t limit);
void source_resume(struct source *source, size_t limit);

/* Any thread: it was delivered, and is freed. True: its source may be read again. */
bool source_delivered(struct arrival *arrival, size_t limit);

#endif
