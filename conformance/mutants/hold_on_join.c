#include "past.h"

#include <poll.h>

enum { STALL_MS = 3000 };

/* A handshake within publish, that waits for its time-out. Once is enough. */
static int hold(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    if (past_growth(endpoint) > 0 && !atomic_exchange(&past_of(endpoint)->marked, true))
        poll(NULL, 0, STALL_MS);
    return mutant_publish(endpoint, parts, count);
}

MUTANT(.name = "hold_on_join", .fault = "publish waits some seconds for a subscriber that joins", .class_name = "late",
       .must_fail = "CHURN-001 CHURN-003", .may_fail = "", .needs = IPCMARK_CAP_PEERS, .before_open = past_remember,
       .publish = hold)
