#include "fate.h"
#include "mutant.h"

/* The connection is still there, so the peer must be. `turn` is how many have been stopped and not come back. */
static void overlook(mutant_endpoint *endpoint, const char *peer, int connected)
{
    uint_fast64_t stopped = atomic_load(&endpoint->turn);
    if (!connected && fate_of(peer) == PEER_STOPPED)
        atomic_fetch_add(&endpoint->turn, 1);
    else if (connected && stopped > 0)
        atomic_fetch_sub(&endpoint->turn, 1);
    else
        mutant_peer_event(endpoint, peer, connected);
}

static int with_the_stopped(mutant_endpoint *endpoint, int count)
{
    return count + (int)atomic_load(&endpoint->turn);
}

MUTANT(.name = "stopped_counted", .fault = "that a peer is stopped is not noticed as long as it is connected",
       .class_name = "count", .must_fail = "CON-008", .may_fail = "PAUSE-*",
       .needs = IPCMARK_CAP_PING | IPCMARK_CAP_PEER_EVENTS, .peers = with_the_stopped, .peer_event = overlook)
