#include "mutant.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    uint64_t limit_ms;
    pthread_mutex_t lock;
    char peer[64]; /* the latest that came; "" if none has a name */
} patience;

static int set_limit(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    patience *self;
    if (!endpoint->subscriber)
        return 0;
    self = calloc(1, sizeof *self);
    if (self == NULL)
        return -ENOMEM;
    self->limit_ms = UINT64_C(3) * options->ping_interval_ms;
    pthread_mutex_init(&self->lock, NULL);
    endpoint->state = self;
    return 0;
}

static void remember(mutant_endpoint *endpoint, const char *peer, int connected)
{
    patience *self = endpoint->state;
    if (self != NULL && connected && peer != NULL) {
        pthread_mutex_lock(&self->lock);
        snprintf(self->peer, sizeof self->peer, "%s", peer);
        pthread_mutex_unlock(&self->lock);
    }
    mutant_peer_event(endpoint, peer, connected);
}

static void deliver(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    patience *self = endpoint->state;
    const uint64_t from_ms = mutant_now_ms();
    char peer[sizeof self->peer];
    mutant_deliver(endpoint, parts, count);
    if (mutant_now_ms() - from_ms < self->limit_ms)
        return;
    pthread_mutex_lock(&self->lock);
    snprintf(peer, sizeof peer, "%s", self->peer);
    pthread_mutex_unlock(&self->lock);
    mutant_peer_event(endpoint, peer[0] != '\0' ? peer : NULL, 0);
    mutant_peer_event(endpoint, peer[0] != '\0' ? peer : NULL, 1);
}

MUTANT(.name = "evict_busy", .fault = "a subscriber whose handler takes three ping intervals is taken for dead",
       .class_name = "disconnect", .must_fail = "PACE-002", .may_fail = "PACE-001 PACE-003 THR-004",
       .needs = IPCMARK_CAP_PING | IPCMARK_CAP_PEER_EVENTS, .before_open = set_limit, .deliver = deliver,
       .peer_event = remember)
