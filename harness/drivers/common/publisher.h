/* A publisher over any transport of byte streams. */
#ifndef COMMON_PUBLISHER_H
#define COMMON_PUBLISHER_H

#include "stream.h"

struct publisher;

int publisher_open(void **out, const ipcmark_endpoint *endpoint, const struct transport *transport);
int publisher_publish(void *publisher, const ipcmark_part *parts, size_t count);
int publisher_peers(void *publisher);
void publisher_close(void *publisher);

#endif
