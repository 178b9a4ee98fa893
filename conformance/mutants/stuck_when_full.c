#include "mutant.h"

#include <poll.h>

static int publish(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    const uint64_t from_ms = mutant_now_ms();
    const int result = mutant_publish(endpoint, parts, count);
    if (mutant_now_ms() - from_ms > 300)
        poll(NULL, 0, 60000);
    return result;
}

MUTANT(.name = "stuck_when_full", .fault = "nobody wakes a publish that has waited for room",
       .base = "mmipc?max_backlog_bytes=4194304", .class_name = "hung late", .must_fail = "PACE-004", .may_fail = "*",
       .publish = publish)
