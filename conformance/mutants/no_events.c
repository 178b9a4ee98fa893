#include "mutant.h"

static void keep_arrivals(mutant_endpoint *endpoint, const char *peer, int connected)
{
    if (!connected)
        mutant_peer_event(endpoint, peer, connected);
}

MUTANT(.name = "no_events", .fault = "that a peer connected is never reported", .class_name = "disconnect",
       .must_fail = "CON-005", .may_fail = "", .needs = IPCMARK_CAP_PEER_EVENTS, .peer_event = keep_arrivals)
