#include "mutant.h"

#include <poll.h>
#include <time.h>

static long long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

static int publish(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    const long long from_ms = now_ms();
    const int result = mutant_publish(endpoint, parts, count);
    if (now_ms() - from_ms > 300)
        poll(NULL, 0, 60000);
    return result;
}

MUTANT(.name = "stuck_when_full", .fault = "nobody wakes a publish that has waited for room",
       .base = "mmipc?max_backlog_bytes=4194304", .class_name = "hung late", .must_fail = "PACE-004", .may_fail = "*",
       .publish = publish)
