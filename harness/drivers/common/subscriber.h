/* A subscriber over any transport of byte streams. */
#ifndef COMMON_SUBSCRIBER_H
#define COMMON_SUBSCRIBER_H

#include "stream.h"

int subscriber_open(void **out, const ipcmark_endpoint *endpoint, const struct transport *transport,
                    ipcmark_deliver_fn *deliver, void *context);
int subscriber_peers(void *subscriber);
void subscriber_close(void *subscriber);

#endif
