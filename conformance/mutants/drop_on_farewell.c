#include "past.h"

/* The list of publishers shrinks while messages are taken from them in turn. */
static void notice(mutant_endpoint *endpoint, const char *peer, int connected)
{
    past *const before = past_of(endpoint);
    if (endpoint->subscriber && !connected && past_is_recent(before))
        atomic_store(&before->marked, true);
    mutant_peer_event(endpoint, peer, connected);
}

static void drop(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    past *const before = past_of(endpoint);
    atomic_store(&before->last_ms, mutant_now_ms());
    if (!atomic_exchange(&before->marked, false))
        mutant_deliver(endpoint, parts, count);
}

MUTANT(.name = "drop_on_farewell", .fault = "a subscriber loses a message of another publisher when one leaves",
       .class_name = "lost", .must_fail = "CHURN-002 CHURN-003",
       .may_fail = "DEL-011 CON-004 CON-005 CON-007 THR-004 LIFE-001 KILL-* PAUSE-*", .needs = IPCMARK_CAP_PEER_EVENTS,
       .before_open = past_remember, .peer_event = notice, .deliver = drop)
