#include "mutant.h"
#include "others.h"

#include <errno.h>

typedef struct {
    atomic_int peers;
    atomic_uint_fast64_t last_ms;
} past;

static int remember(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)options;
    endpoint->state = calloc(1, sizeof(past));
    return endpoint->state == NULL ? -ENOMEM : 0;
}

/* The list of subscribers grows while publish walks along it. */
static int drop(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    past *const before = endpoint->state;
    const int peers = mutant_peers(endpoint), peers_before = atomic_exchange(&before->peers, peers);
    const uint64_t now = mutant_now_ms(), last = atomic_exchange(&before->last_ms, now);
    if (peers_before > 0 && peers > peers_before && now - last < 20)
        return 0;
    return mutant_publish(endpoint, parts, count);
}

MUTANT(.name = "drop_on_join", .fault = "a message that is published while a subscriber joins reaches nobody",
       .class_name = "lost", .must_fail = "CHURN-001 CHURN-003",
       .may_fail = "THR-001 THR-005 KILL-001 KILL-003 KILL-005 PAUSE-003 PAUSE-004 ENV-002", .needs = IPCMARK_CAP_PEERS,
       .before_open = remember, .publish = drop)
