/* The readers that a writer is matched with, or the other way round: how many, and their ids, which each endpoint
 * carries in its USER_DATA. */
#ifndef DDS_MATCHES_H
#define DDS_MATCHES_H

#include "stream.h"

#include <dds/dds.h>
#include <stdatomic.h>

struct match;

struct matches {
    struct endpoint endpoint;
    pthread_mutex_t lock; /* held while the suite is told, so that nothing is after matches_mute */
    struct match *list;
    atomic_int count;
    bool muted;
};

int matches_open(struct matches *matches, const ipcmark_endpoint *options);
void matches_mute(struct matches *matches);
void matches_close(struct matches *matches); /* once the entity is deleted */

/* A listener that reports to `matches`, for a writer and a reader; dds_delete_listener. */
dds_listener_t *matches_listener(struct matches *matches);

#endif
