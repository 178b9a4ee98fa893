/* What both ends share. A subscriber subscribes to everything, and beside that to a topic that is its own: a token that
 * no other has, and its id. XPUB shows its owner each topic that has a first or has lost its last subscriber, and so
 * tells who came and who went. */
#ifndef ZEROMQ_DRIVER_H
#define ZEROMQ_DRIVER_H

#include "roster.h"

#include <zmq.h>

enum {
    TOKEN = IDENTITY_TEXT - 1, /* at the beginning of a subscriber's own topic */
    TOPIC = TOKEN + ENDPOINT_NAME,
    LINGER_MS = 600 /* close has to end within a second, on a busy machine too */
};

#define ZEROMQ_ADDRESS "ipc://@ipcmark-" /* abstract: nothing is left of it when its owner is killed */

/* A context with one socket. A context of its own lets each close wait for its own messages, and leaves no thread. */
struct zeromq {
    void *context, *socket;
    int ready; /* readable when the socket has commands to process: look at it then, and again before waiting */
};

int zeromq_open(struct zeromq *out, int type);
void zeromq_close(struct zeromq *zeromq); /* waits for what can still be sent, LINGER_MS at most */
/* Sets an option that is an int. */
int zeromq_set(void *socket, int option, int value);
/* Sets the high-water mark, which is in messages: as many as QUEUE_BYTES are, but at most libzmq's default; or "hwm".
 */
int zeromq_set_mark(void *socket, int option, const ipcmark_endpoint *options);

int zeromq_publisher_open(void **out, const ipcmark_endpoint *options);
int zeromq_publish(void *publisher, const ipcmark_part *parts, size_t count);
int zeromq_publisher_peers(void *publisher);
void zeromq_publisher_close(void *publisher);

int zeromq_subscriber_open(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *deliver, void *context);
int zeromq_subscriber_peers(void *subscriber);
void zeromq_subscriber_close(void *subscriber);

#endif
