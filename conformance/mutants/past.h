/* What an endpoint did last, for faults that need somebody to come or go under traffic. */
#ifndef PAST_H
#define PAST_H

#include "mutant.h"

#include <errno.h>
#include <stdlib.h>

enum { TRAFFIC_MS = 20 /* between two messages of traffic */ };

typedef struct {
    atomic_uint_fast64_t last_ms; /* when there was a message last */
    atomic_int peers;             /* how many there were then */
    atomic_uint count;            /* the mutant's own, as `marked` */
    atomic_bool marked;
} past;

/* As before_open: the endpoint's state is its past. */
static inline int past_remember(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)options;
    endpoint->state = calloc(1, sizeof(past));
    return endpoint->state == NULL ? -ENOMEM : 0;
}

static inline past *past_of(mutant_endpoint *endpoint)
{
    return endpoint->state;
}

static inline bool past_is_recent(const past *self)
{
    return mutant_now_ms() - atomic_load(&self->last_ms) < TRAFFIC_MS;
}

/* With each message. How many peers more there are than with the one before, if that was a moment ago. */
static inline int past_growth(mutant_endpoint *endpoint)
{
    past *const self = past_of(endpoint);
    const bool recent = past_is_recent(self);
    const int peers = mutant_peers(endpoint), before = atomic_exchange(&self->peers, peers);
    atomic_store(&self->last_ms, mutant_now_ms());
    return recent && before > 0 ? peers - before : 0;
}

#endif
