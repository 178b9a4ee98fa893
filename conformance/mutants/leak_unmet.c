#include "mutant.h"

#include <fcntl.h>

/* `turn` is how many peers there ever were. */
static void meet(mutant_endpoint *endpoint, const char *peer, int connected)
{
    if (connected)
        mutant_turn(endpoint);
    mutant_peer_event(endpoint, peer, connected);
}

static void forget(mutant_endpoint *endpoint)
{
    if (atomic_load(&endpoint->turn) == 0 && open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
        return;
}

MUTANT(.name = "leak_unmet", .fault = "an endpoint that is closed before it met anybody leaves a descriptor behind",
       .class_name = "leftover", .must_fail = "LIFE-004", .may_fail = "", .needs = IPCMARK_CAP_PEER_EVENTS,
       .peer_event = meet, .after_close = forget)
