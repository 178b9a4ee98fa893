#include "mutant.h"
#include "others.h"

#include <poll.h>

/* Turn: the publisher that is stopped. */
static void notice(mutant_endpoint *endpoint, const char *peer, int connected)
{
    const int pid = peer_pid(peer);
    if (endpoint->subscriber && !connected && pid != 0 && process_state(pid) == 'T')
        atomic_store(&endpoint->turn, (uint_fast64_t)pid);
    mutant_peer_event(endpoint, peer, connected);
}

/* Whose turn it is has half a record in the queue, and the rest must come. */
static void deliver(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    const int pid = (int)atomic_exchange(&endpoint->turn, 0);
    while (pid != 0 && process_state(pid) == 'T')
        poll(NULL, 0, 5);
    mutant_deliver(endpoint, parts, count);
}

MUTANT(.name = "reads_in_turn",
       .fault = "a subscriber reads from its publishers in turn, also from one that is stopped", .class_name = "late",
       .must_fail = "PAUSE-002", .may_fail = "KILL-008", .needs = IPCMARK_CAP_PEER_EVENTS, .base = "mmipc",
       .peer_event = notice, .deliver = deliver)
