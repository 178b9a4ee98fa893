#include "mutant.h"

static void keep_departures(mutant_endpoint *endpoint, const char *peer, int connected)
{
    if (connected)
        mutant_peer_event(endpoint, peer, connected);
}

MUTANT(.name = "disconnect_unreported", .fault = "that a peer disconnected is never reported",
       .class_name = "disconnect", .must_fail = "CON-005", .may_fail = "", .needs = IPCMARK_CAP_PEER_EVENTS,
       .peer_event = keep_departures)
