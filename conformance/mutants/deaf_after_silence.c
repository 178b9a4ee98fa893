#include "mutant.h"

static const uint64_t long_ns = 1000000000;

/* What wakes the receiver from its deepest sleep is taken for the wake-up alone. */
static void sleep_deep(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    const uint64_t time = mutant_now_ns(), before = atomic_exchange(&endpoint->turn, time);
    if (before == 0 || time - before < long_ns)
        mutant_deliver(endpoint, parts, count);
}

MUTANT(.name = "deaf_after_silence", .fault = "the first message after more than a second of silence is lost",
       .class_name = "lost hung", .must_fail = "DEL-016",
       .may_fail = "CON-009 PACE-* THR-003 THR-004 LIFE-001 LIFE-005 PAUSE-003 PAUSE-006", .deliver = sleep_deep)
