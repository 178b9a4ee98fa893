#include "mutant.h"
#include "others.h"

#include <errno.h>
#include <poll.h>

enum { STALL_MS = 3000 };

typedef struct {
    atomic_int peers;
    atomic_uint_fast64_t last_ms;
    atomic_bool held;
} past;

static int remember(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)options;
    endpoint->state = calloc(1, sizeof(past));
    return endpoint->state == NULL ? -ENOMEM : 0;
}

/* A handshake within publish, that waits for its time-out. Once is enough. */
static int hold(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    past *const before = endpoint->state;
    const int peers = mutant_peers(endpoint), peers_before = atomic_exchange(&before->peers, peers);
    const uint64_t now = mutant_now_ms(), last = atomic_exchange(&before->last_ms, now);
    if (peers_before > 0 && peers > peers_before && now - last < 20 && !atomic_exchange(&before->held, true))
        poll(NULL, 0, STALL_MS);
    return mutant_publish(endpoint, parts, count);
}

MUTANT(.name = "hold_on_join", .fault = "publish waits some seconds for a subscriber that joins", .class_name = "late",
       .must_fail = "CHURN-001 CHURN-003", .may_fail = "", .needs = IPCMARK_CAP_PEERS, .before_open = remember,
       .publish = hold)
