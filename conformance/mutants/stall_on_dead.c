#include "mutant.h"

#include <poll.h>

enum { NOTICED_MS = 200 /* after the publish that it set free */ };

/* It waited, and there is one less to wait for: that one was it. */
static int publish(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    const int before = mutant_peers(endpoint);
    const uint64_t from_ms = mutant_now_ms();
    const int result = mutant_publish(endpoint, parts, count);
    const bool waited = mutant_now_ms() - from_ms > 20;
    const uint64_t until_ms = mutant_now_ms() + NOTICED_MS;
    while (waited && mutant_peers(endpoint) == before && mutant_now_ms() < until_ms)
        poll(NULL, 0, 1);
    if (waited && mutant_peers(endpoint) < before)
        poll(NULL, 0, 60000);
    return result;
}

MUTANT(.name = "stall_on_dead", .fault = "a publish waits for a subscriber that has died meanwhile",
       .base = "mmipc?max_backlog_bytes=4194304", .class_name = "hung late", .must_fail = "PACE-008",
       .may_fail = "KILL-* CHURN-* LIFE-* PAUSE-*", .publish = publish)
