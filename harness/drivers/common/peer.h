/* The subscribers that a publisher knows of, shared by publisher.c (publish) and discovery.c (the control thread). */
#ifndef COMMON_PEER_H
#define COMMON_PEER_H

#include "callers.h"
#include "frame.h"
#include "publisher.h"

enum peer_state { PEER_CONNECTING, PEER_GREETED, PEER_READY };

struct peer {
    struct peer *next;
    enum peer_state state;
    struct link link;
    struct greeter greeter;
    char advertisement[DIRECTORY_NAME], id[ENDPOINT_NAME], token[TOKEN_TEXT];
    size_t owed; /* bytes that it still has to get of the message in hand */
    bool broken; /* found by publish; the control thread sees to it */
};

struct publisher {
    struct endpoint endpoint;
    const struct transport *transport;
    struct directory directory;
    pthread_t thread;
    int epoll; /* the control thread's */
    int bell;  /* wakes the control thread */
    int retry; /* wakes a publish that waits for room */

    pthread_mutex_t lock;
    pthread_cond_t turn;
    struct peer *peers;   /* changed by the control thread alone, under the lock: it may read without */
    struct peer *dropped; /* while `publishing`: the waiting publish may still poll these */
    bool publishing;      /* a publish waits for room and has released the lock meanwhile */
    struct callers callers;
};

/* The control thread: finds subscribers, greets them, and notices when they go. */
void *discovery_run(void *publisher);

void peer_free(struct peer *peer);
void peer_list_free(struct peer **list);

#endif
