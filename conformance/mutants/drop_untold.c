#include "mutant.h"

/* turn: 1 while a message is in the handler. */
static void deliver(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    atomic_store(&endpoint->turn, 1);
    mutant_deliver(endpoint, parts, count);
    atomic_store(&endpoint->turn, 0);
}

static void peer_event(mutant_endpoint *endpoint, const char *peer, int connected)
{
    if (connected || atomic_load(&endpoint->turn) == 0)
        mutant_peer_event(endpoint, peer, connected);
}

MUTANT(.name = "drop_untold", .fault = "a subscriber that is disconnected while it is in its handler is not told",
       .base = "mmipc-disconnect?max_backlog_bytes=4194304", .class_name = "disconnect", .must_fail = "PACE-006",
       .may_fail = "DEL-005 LIFE-001", .deliver = deliver, .peer_event = peer_event)
