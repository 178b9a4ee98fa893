/* A connection to the NATS server: each endpoint has its own, so that none waits behind another's messages. */
#ifndef NATS_CLIENT_H
#define NATS_CLIENT_H

#include "ipcmark/driver.h"

#include <nats/nats.h>

enum {
    CLIENT_SUBJECT = 528,   /* a word, a dot and a channel in hex */
    CLIENT_WAIT_MS = 10000, /* for an answer of a server that has nothing else to wait for */
    CLIENT_FOR_EVER_MS = 24 * 60 * 60 * 1000
};

struct client {
    natsConnection *connection;
    char subject[CLIENT_SUBJECT];
};

/* send_asap: what is published is written to the socket before publish returns. */
int client_open(struct client *client, const ipcmark_endpoint *options, const char *prefix, bool send_asap);
/* Ends every call on the connection that still waits. What is buffered is sent before. */
void client_disconnect(struct client *client);
/* Nobody may be in a call any more. The process's last one takes the library's threads with it. */
void client_close(struct client *client);

/* -errno of what opening or subscribing said. */
int client_error(natsStatus status);

#endif
