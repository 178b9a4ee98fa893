#include "fate.h"
#include "mutant.h"

#include <errno.h>

enum { LATE_MS = 4500 };

typedef struct {
    _Atomic int present; /* by the events: the base's own count falls before it tells */
    _Atomic uint64_t until_ms;
} sight;

static int look(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)options;
    endpoint->state = calloc(1, sizeof(sight));
    return endpoint->state == NULL ? -ENOMEM : 0;
}

static void notice_late(mutant_endpoint *endpoint, const char *peer, int connected)
{
    sight *const mine = endpoint->state;
    if (connected)
        atomic_store(&mine->until_ms, 0);
    else if (fate_of(peer) == PEER_STOPPED)
        atomic_store(&mine->until_ms, mutant_now_ms() + LATE_MS);
    mine->present += connected ? 1 : -1;
    mutant_peer_event(endpoint, peer, connected);
}

static int with_the_stopped(mutant_endpoint *endpoint, int count)
{
    sight *const mine = endpoint->state;
    (void)count;
    return mine->present + (mutant_now_ms() < mine->until_ms);
}

MUTANT(.name = "late_stop", .fault = "a stopped peer is counted for some seconds more", .class_name = "late count",
       .must_fail = "CON-008", .may_fail = "KILL-008", .needs = IPCMARK_CAP_PING | IPCMARK_CAP_PEER_EVENTS,
       .before_open = look, .peers = with_the_stopped, .peer_event = notice_late)
