#include "fate.h"
#include "mutant.h"

/* Whoever closes takes himself off the list; nobody else does. */
static void bury(mutant_endpoint *endpoint, const char *peer, int connected)
{
    if (!connected && fate_of(peer) == PEER_DEAD)
        mutant_turn(endpoint);
    mutant_peer_event(endpoint, peer, connected);
}

static int with_the_dead(mutant_endpoint *endpoint, int count)
{
    return count + (int)atomic_load(&endpoint->turn);
}

MUTANT(.name = "dead_counted", .fault = "a peer that died is counted for ever", .class_name = "count",
       .must_fail = "CON-001 CON-002 CON-007", .may_fail = "*", .needs = IPCMARK_CAP_PING | IPCMARK_CAP_PEER_EVENTS,
       .peers = with_the_dead, .peer_event = bury)
