#include "mutant.h"

/* The reader joins at the message behind the one that it heard of first. */
static int drop_first(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    return mutant_peers(endpoint) > 0 && mutant_turn(endpoint) == 1 ? 0 : mutant_publish(endpoint, parts, count);
}

MUTANT(.name = "drop_first", .fault = "the first message that a publisher sends to anybody is lost",
       .class_name = "lost", .may_class = "late", .must_fail = "DEL-001 DEL-011", .may_fail = "*",
       .needs = IPCMARK_CAP_PEERS, .publish = drop_first)
