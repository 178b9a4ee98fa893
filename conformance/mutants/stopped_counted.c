#include "fate.h"
#include "mutant.h"

/* The connection is still there, so the peer must be. `turn`: how many are connected, kept by the events, since the
 * base's own count falls before it tells; and, above 32 bits, how many of them are stopped. */
static const uint64_t stopped = (uint64_t)1 << 32;

static void overlook(mutant_endpoint *endpoint, const char *peer, int connected)
{
    if (!connected && fate_of(peer) == PEER_STOPPED) {
        atomic_fetch_add(&endpoint->turn, stopped);
    } else if (connected && atomic_load(&endpoint->turn) >= stopped) {
        atomic_fetch_sub(&endpoint->turn, stopped);
    } else {
        atomic_fetch_add(&endpoint->turn, connected ? 1 : (uint64_t)-1);
        mutant_peer_event(endpoint, peer, connected);
    }
}

static int with_the_stopped(mutant_endpoint *endpoint, int count)
{
    (void)count;
    return (int)(uint32_t)atomic_load(&endpoint->turn);
}

MUTANT(.name = "stopped_counted", .fault = "that a peer is stopped is not noticed as long as it is connected",
       .class_name = "count", .must_fail = "CON-008", .may_fail = "PAUSE-* KILL-008",
       .needs = IPCMARK_CAP_PING | IPCMARK_CAP_PEER_EVENTS, .peers = with_the_stopped, .peer_event = overlook)
