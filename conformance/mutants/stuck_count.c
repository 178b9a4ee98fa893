#include "mutant.h"

static int highest_ever(mutant_endpoint *endpoint, int count)
{
    uint_fast64_t highest = atomic_load(&endpoint->turn);
    while ((uint_fast64_t)count > highest && !atomic_compare_exchange_weak(&endpoint->turn, &highest, (unsigned)count))
        ;
    highest = atomic_load(&endpoint->turn);
    return (int)highest;
}

MUTANT(.name = "stuck_count", .fault = "the count of peers never falls", .class_name = "count hung",
       .must_fail = "CON-001 CON-002", .may_fail = "*", .needs = IPCMARK_CAP_PEERS, .peers = highest_ever)
