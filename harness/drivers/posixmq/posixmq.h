/* The two ends, shared by publisher.c and posixmq.c. */
#ifndef POSIXMQ_H
#define POSIXMQ_H

#include "ipcmark/driver.h"

int posixmq_publisher_open(void **out, const ipcmark_endpoint *options);
int posixmq_publish(void *publisher, const ipcmark_part *parts, size_t count);
int posixmq_publisher_peers(void *publisher);
void posixmq_publisher_close(void *publisher);

/* Bytes of the largest frame for this run: an endpoint's queue, or what it sends. */
size_t posixmq_frame_max(const ipcmark_endpoint *options);

#endif
