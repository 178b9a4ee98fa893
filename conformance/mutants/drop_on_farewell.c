#include "mutant.h"
#include "others.h"

#include <errno.h>

typedef struct {
    atomic_uint_fast64_t last_ms;
    atomic_bool drop;
} past;

static int remember(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)options;
    endpoint->state = calloc(1, sizeof(past));
    return endpoint->state == NULL ? -ENOMEM : 0;
}

/* The list of publishers shrinks while messages are taken from them in turn. */
static void notice(mutant_endpoint *endpoint, const char *peer, int connected)
{
    past *const before = endpoint->state;
    if (endpoint->subscriber && !connected && mutant_now_ms() - atomic_load(&before->last_ms) < 20)
        atomic_store(&before->drop, true);
    mutant_peer_event(endpoint, peer, connected);
}

static void drop(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    past *const before = endpoint->state;
    atomic_store(&before->last_ms, mutant_now_ms());
    if (!atomic_exchange(&before->drop, false))
        mutant_deliver(endpoint, parts, count);
}

MUTANT(.name = "drop_on_farewell", .fault = "a subscriber loses a message of another publisher when one leaves",
       .class_name = "lost", .must_fail = "CHURN-002 CHURN-003",
       .may_fail = "DEL-011 CON-004 CON-005 CON-007 THR-004 LIFE-001 KILL-* PAUSE-*", .needs = IPCMARK_CAP_PEER_EVENTS,
       .before_open = remember, .peer_event = notice, .deliver = drop)
