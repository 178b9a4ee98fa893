/* The publishers that a subscriber knows of, shared by subscriber.c (life), reception.c (the control thread, which lets
 * them in) and delivery.c (the thread that reads and delivers). */
#ifndef COMMON_SOURCE_H
#define COMMON_SOURCE_H

#include "callers.h"
#include "frame.h"
#include "subscriber.h"

/* What was read ahead of a source (ahead.h): by the reception thread while a handler waits, else the delivery thread's.
 */
struct ahead {
    char *buffer;
    size_t capacity, head, tail;
    bool set_aside; /* not in the delivery thread's epoll set for now */
};

struct source {
    struct source *next;
    struct link link;
    enum { SOURCE_KNOCKED, SOURCE_WELCOMED, SOURCE_READY } state;
    struct greeter greeter;
    long long hello_by; /* when a stranger who says nothing is shown out */
    char id[ENDPOINT_NAME];
    struct frame_reader reader;
    struct ahead ahead;
};

struct subscriber {
    struct endpoint endpoint;
    const struct transport *transport;
    struct directory directory;
    struct listener listener;
    ipcmark_deliver_fn *deliver;
    void *context;

    pthread_t reception, delivery;
    int reception_epoll, reception_bell, delivery_epoll, delivery_bell;
    struct source *pending; /* in the handshake; the reception thread's own */

    pthread_mutex_t ahead_lock; /* of the next two, and of what is read ahead while a handler waits */
    bool handler_waits, has_ahead;

    pthread_mutex_t lock;
    struct source *ready; /* under the lock: added by reception, removed by delivery */
    struct callers callers;
    bool closed_inside; /* close was called by deliver: the delivery thread ends what is left. Its own */
};

void *reception_run(void *subscriber);
void *delivery_run(void *subscriber);
bool subscriber_is_closing(const struct subscriber *subscriber);
void subscriber_destroy(struct subscriber *subscriber);

void source_free(struct source *source);

/* epoll_ctl(ADD) for reading. */
int epoll_add(int epoll, int fd, void *what);

#endif
