#include "fate.h"
#include "mutant.h"

/* Whoever closes takes himself off the list; nobody else does. The list is `turn`, kept by the events: the base's own
 * count falls before it tells of the death. */
static void keep_list(mutant_endpoint *endpoint, const char *peer, int connected)
{
    if (connected)
        atomic_fetch_add(&endpoint->turn, 1);
    else if (fate_of(peer) != PEER_DEAD)
        atomic_fetch_sub(&endpoint->turn, 1);
    mutant_peer_event(endpoint, peer, connected);
}

static int count_list(mutant_endpoint *endpoint, int count)
{
    (void)count;
    return (int)atomic_load(&endpoint->turn);
}

MUTANT(.name = "dead_counted", .fault = "a peer that died is counted for ever", .class_name = "count",
       .must_fail = "CON-001 CON-002 CON-007", .may_fail = "CON-004 CON-005 PACE-008 KILL-*",
       .needs = IPCMARK_CAP_PING | IPCMARK_CAP_PEER_EVENTS, .peers = count_list, .peer_event = keep_list)
