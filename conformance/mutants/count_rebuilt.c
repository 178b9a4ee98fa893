#include "mutant.h"

enum { REBUILT_MS = 30 };

/* Turn: until when, in milliseconds. */
static void rebuild(mutant_endpoint *endpoint, const char *peer, int connected)
{
    if (!connected)
        atomic_store(&endpoint->turn, mutant_now_ms() + REBUILT_MS);
    mutant_peer_event(endpoint, peer, connected);
}

static int count_list(mutant_endpoint *endpoint, int count)
{
    return endpoint->subscriber && mutant_now_ms() < atomic_load(&endpoint->turn) ? 0 : count;
}

MUTANT(.name = "count_rebuilt",
       .fault = "when a publisher goes its subscribers empty and fill their lists, and count nobody for a moment",
       .class_name = "count", .must_fail = "CON-002", .may_fail = "", .needs = IPCMARK_CAP_PEER_EVENTS,
       .peers = count_list, .peer_event = rebuild)
