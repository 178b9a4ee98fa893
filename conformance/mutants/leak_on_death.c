#include "mutant.h"

#include <fcntl.h>

/* It asked for the end of the process, and forgot that it had. */
static void leak(mutant_endpoint *endpoint, const char *peer, int connected)
{
    if (!endpoint->subscriber && !connected)
        open("/dev/null", O_RDONLY | O_CLOEXEC);
    mutant_peer_event(endpoint, peer, connected);
}

MUTANT(.name = "leak_on_death", .fault = "a publisher keeps a descriptor of each subscriber that went",
       .class_name = "leftover", .must_fail = "KILL-006", .may_fail = "LIFE-003 LIFE-004",
       .needs = IPCMARK_CAP_PEER_EVENTS, .peer_event = leak)
