#include "fate.h"
#include "mutant.h"

#include <errno.h>

typedef struct {
    atomic_uint deaths;
    atomic_bool unfinished;
    atomic_uint_fast64_t last_ms;
} past;

static int remember(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)options;
    endpoint->state = calloc(1, sizeof(past));
    return endpoint->state == NULL ? -ENOMEM : 0;
}

/* Not every death falls into a copy. */
static void notice(mutant_endpoint *endpoint, const char *peer, int connected)
{
    past *const before = endpoint->state;
    if (!endpoint->subscriber && !connected && fate_of(peer) == PEER_DEAD &&
        atomic_fetch_add(&before->deaths, 1) % 3 == 2)
        atomic_store(&before->unfinished, true);
    mutant_peer_event(endpoint, peer, connected);
}

/* The error of that one ends the copying to all. */
static int give_up(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    past *const before = endpoint->state;
    const uint64_t now = mutant_now_ms(), last = atomic_exchange(&before->last_ms, now);
    if (atomic_exchange(&before->unfinished, false) && now - last < 20)
        return 0;
    return mutant_publish(endpoint, parts, count);
}

MUTANT(.name = "drop_on_death", .fault = "a message that is being copied to a subscriber which dies reaches nobody",
       .class_name = "lost", .must_fail = "KILL-001", .may_fail = "KILL-003 KILL-005 KILL-006",
       .needs = IPCMARK_CAP_PING | IPCMARK_CAP_PEER_EVENTS, .before_open = remember, .publish = give_up,
       .peer_event = notice)
