#include "mutant.h"

/* turn: 1 when close has begun. */
static int publish(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    const int result = mutant_publish(endpoint, parts, count);
    return atomic_load(&endpoint->turn) != 0 ? 0 : result;
}

static void begin(mutant_endpoint *endpoint)
{
    atomic_store(&endpoint->turn, 1);
}

MUTANT(.name = "close_race", .fault = "a publish that is under way when its publisher is closed says that all is well",
       .base = "mmipc?max_backlog_bytes=4194304", .class_name = "lost hung", .must_fail = "THR-004",
       .may_fail = "LIFE-001", .needs = IPCMARK_CAP_THREADS, .publish = publish, .before_close = begin)
