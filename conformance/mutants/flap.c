#include "mutant.h"

static void flap(mutant_endpoint *endpoint, const char *peer, int connected)
{
    mutant_peer_event(endpoint, peer, connected);
    if (connected) {
        mutant_peer_event(endpoint, peer, 0);
        mutant_peer_event(endpoint, peer, 1);
    }
}

MUTANT(.name = "flap", .fault = "each new peer is reported disconnected and connected again",
       .class_name = "disconnect", .must_fail = "CON-005", .may_fail = "*", .needs = IPCMARK_CAP_PEER_EVENTS,
       .peer_event = flap)
