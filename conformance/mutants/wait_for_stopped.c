#include "mutant.h"
#include "others.h"

#include <poll.h>

/* Turn: the process that it waits for. */
static void notice(mutant_endpoint *endpoint, const char *peer, int connected)
{
    const int pid = peer_pid(peer);
    if (!connected && pid != 0 && process_state(pid) == 'T')
        atomic_store(&endpoint->turn, (uint_fast64_t)pid);
    mutant_peer_event(endpoint, peer, connected);
}

static void wait_for_it(mutant_endpoint *endpoint)
{
    const int pid = (int)atomic_exchange(&endpoint->turn, 0);
    while (pid != 0 && process_state(pid) == 'T')
        poll(NULL, 0, 5);
}

static int publish(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    wait_for_it(endpoint);
    return mutant_publish(endpoint, parts, count);
}

static void deliver(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    wait_for_it(endpoint);
    mutant_deliver(endpoint, parts, count);
}

MUTANT(.name = "wait_for_stopped", .fault = "everybody waits for a peer that is stopped", .class_name = "late",
       .may_class = "hung", .must_fail = "PAUSE-001 PAUSE-002", .may_fail = "CON-008 PAUSE-* KILL-008 LIFE-*",
       .needs = IPCMARK_CAP_PEER_EVENTS, .base = "mmipc", .peer_event = notice, .publish = publish, .deliver = deliver)
