/* A subscriber as its publisher sees it: a queue of messages, each of them one piece of memory for all connections.
 *
 * What is queued is lost if the publisher is closed while the subscriber does not read; what is in the socket is not.
 * So a publish returns when its message is in the socket of each subscriber or is sure to fit there, and the queue can
 * always be emptied at once. */
#ifndef WEBSOCKET_CONNECTION_H
#define WEBSOCKET_CONNECTION_H

#include "stream.h"

#include <libwebsockets.h>
#include <stdatomic.h>

struct message {
    atomic_uint references;
    size_t size;
    unsigned char room[]; /* LWS_PRE bytes for the library, then the message */
};

struct message *message_make(const void *data, size_t size); /* NULL: no memory */
void message_release(struct message *message);

struct entry {
    struct message *message;
    uint64_t number; /* of this publisher's messages */
    uint64_t end;    /* bytes that have come into the queue with it */
};

struct entries {
    struct entry *at;
    size_t count, capacity;
};

/* Where publish waits for its message to be safe. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t turn;
    unsigned waiting;
};

/* Lies in memory that the library allocates, and clears, for a connection. */
struct connection {
    struct connection *next;
    struct lws *wsi;
    char id[ENDPOINT_NAME];
    size_t id_size; /* bytes received of it so far */
    bool is_greeted;

    /* Under the gate's lock. Bytes are counted since the beginning, with what the kernel needs beside. */
    struct entries inbox;
    uint64_t entered; /* bytes that have come into the queue */
    uint64_t assured; /* bytes of these that the socket has taken or has room for */
    uint64_t safe;    /* number of the last message of these bytes */

    /* The loop's own. */
    struct entries outbox;
    size_t done;    /* of the outbox: handed to the library */
    size_t settled; /* of these: in the socket */
    size_t offset;  /* bytes handed to the library of the message that is next */
};

/* Both under the gate's lock. Room for one more; -ENOMEM. */
int connection_reserve(struct connection *connection);
void connection_enter(struct connection *connection, struct message *message, uint64_t number);

/* All that follow in the loop's thread. It shall get all messages behind this number. */
void connection_begin(struct connection *connection, struct lws *wsi, uint64_t number);
/* Writes what the socket takes. 1: there is more; 0: that was all; -1: it is broken. */
int connection_write(struct connection *connection, struct gate *gate);
/* Under the gate's lock: forgets those that are not safe, whose publish has failed. False: one of them was begun. */
bool connection_cut(struct connection *connection);
void connection_end(struct connection *connection);

#endif
