/* One libwebsockets context and the thread that serves it: nothing but loop_wake may be called by another. */
#ifndef WEBSOCKET_LOOP_H
#define WEBSOCKET_LOOP_H

#include <libwebsockets.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* Names the subprotocol that both ends speak. */
#define LOOP_PROTOCOL "ipcmark"

enum {
    LOOP_FRAME = 64 * 1024,      /* bytes: longer messages go as several frames, each written and read in one piece */
    LOOP_CONNECTIONS_MAX = 4096, /* of one context; its tables are this long */
    LOOP_FAREWELL_MS = 200       /* for peers to answer a CLOSE: those who are stopped do not */
};

struct loop {
    struct lws_context *context;
    struct lws_protocols protocols[2];
    pthread_t thread;
    bool is_running;
    atomic_bool woken, ended;
    void (*served)(void *owner); /* or NULL: called after each round of the thread */
    void *owner;
    lws_sorted_usec_list_t farewell;
};

struct loop_kind {
    lws_callback_function *callback; /* finds the owner with loop_owner */
    size_t session_bytes;            /* that the library is to allocate for each connection */
    int port;                        /* 0: any; or CONTEXT_PORT_NO_LISTEN */
    size_t receive_bytes;            /* taken at a time */
};

/* The kind is copied. *loop must stay where it is. */
int loop_open(struct loop *loop, const struct loop_kind *kind, void *owner);
int loop_port(const struct loop *loop);
int loop_start(struct loop *loop);
/* Ends the thread and the context: all connections that are left are cut. */
void loop_close(struct loop *loop);

/* Any thread: soon the callback gets LWS_CALLBACK_EVENT_WAIT_CANCELLED, and calls loop_awake before it looks around. */
void loop_wake(struct loop *loop);
void loop_awake(struct loop *loop);
/* The same in two steps: who is told true has to ring, once it holds no lock that the loop would run into. */
bool loop_claim(struct loop *loop);
void loop_ring(struct loop *loop);

/* The loop's own thread: it shall end now, or once there has been time to say goodbye. */
void loop_end(struct loop *loop);
void loop_end_soon(struct loop *loop);

void *loop_owner(struct lws *connection);

#endif
