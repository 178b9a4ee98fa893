/* Publish/subscribe over WebSocket, as both ends see it.
 *
 * A publisher is a server on a port of the loopback interface that it advertises with a random token (roster.h). A
 * subscriber connects to each that it finds, at the path /TOKEN: any user can reach the port. Its first message is its
 * id; the publisher counts it from there on, and answers with its own id; then come the messages, one each. When the
 * subscriber gets the answer it counts the publisher: once both count, nothing is lost. */
#ifndef WEBSOCKET_WEBSOCKET_H
#define WEBSOCKET_WEBSOCKET_H

#include "ipcmark/driver.h"

#define WEBSOCKET_DRIVER "websocket"

int websocket_publisher_open(void **out, const ipcmark_endpoint *options);
int websocket_publish(void *publisher, const ipcmark_part *parts, size_t count);
int websocket_publisher_peers(void *publisher);
void websocket_publisher_close(void *publisher);

int websocket_subscriber_open(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *deliver, void *context);
int websocket_subscriber_peers(void *subscriber);
void websocket_subscriber_close(void *subscriber);

/* Around a wait of publish, in any thread: if it is in a handler, its subscriber reads on meanwhile, into memory. Two
 * processes that answer each other would lock up once all that lies between them is full. */
void websocket_wait_begin(void);
void websocket_wait_end(void);

#endif
