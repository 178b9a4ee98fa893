#include "fate.h"
#include "past.h"

/* Not every death falls into a copy. */
static void notice(mutant_endpoint *endpoint, const char *peer, int connected)
{
    past *const before = past_of(endpoint);
    if (!endpoint->subscriber && !connected && fate_of(peer) == PEER_DEAD &&
        atomic_fetch_add(&before->count, 1) % 3 == 2)
        atomic_store(&before->marked, true);
    mutant_peer_event(endpoint, peer, connected);
}

/* The error of that one ends the copying to all. */
static int give_up(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    past *const before = past_of(endpoint);
    const bool recent = past_is_recent(before);
    atomic_store(&before->last_ms, mutant_now_ms());
    return atomic_exchange(&before->marked, false) && recent ? 0 : mutant_publish(endpoint, parts, count);
}

MUTANT(.name = "drop_on_death", .fault = "a message that is being copied to a subscriber which dies reaches nobody",
       .class_name = "lost", .must_fail = "KILL-001", .may_fail = "KILL-003 KILL-005 KILL-006",
       .needs = IPCMARK_CAP_PING | IPCMARK_CAP_PEER_EVENTS, .before_open = past_remember, .publish = give_up,
       .peer_event = notice)
