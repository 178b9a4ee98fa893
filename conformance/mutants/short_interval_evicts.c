#include "mutant.h"

#include <errno.h>
#include <stdlib.h>

/* The longest interval of all participants of the case. */
static _Atomic(atomic_uint *) longest_ms;

static int tell_interval(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    atomic_uint *all = atomic_load(&longest_ms), *none = NULL;
    unsigned longest, *own_ms;
    if (all == NULL && (all = mutant_share(options->directory, sizeof *all)) != NULL &&
        !atomic_compare_exchange_strong(&longest_ms, &none, all))
        all = none; /* the other map stays: once a process */
    if (all == NULL)
        return -ENOMEM;
    longest = atomic_load(all);
    while (options->ping_interval_ms > longest &&
           !atomic_compare_exchange_weak(all, &longest, options->ping_interval_ms))
        ;
    own_ms = malloc(sizeof *own_ms);
    if (own_ms == NULL)
        return -ENOMEM;
    *own_ms = options->ping_interval_ms;
    atomic_store(&endpoint->state, own_ms);
    return 0;
}

/* `turn` is when the first of the present peers came. */
static int evict(mutant_endpoint *endpoint, int count)
{
    const unsigned own_ms = *(const unsigned *)atomic_load(&endpoint->state);
    uint_fast64_t since_ns = 0;
    if (count == 0 || atomic_load(atomic_load(&longest_ms)) <= own_ms) {
        atomic_store(&endpoint->turn, 0);
        return count;
    }
    if (atomic_compare_exchange_strong(&endpoint->turn, &since_ns, mutant_now_ns()))
        return count;
    return mutant_now_ns() - since_ns > 2000000ull * own_ms ? 0 : count;
}

MUTANT(.name = "short_interval_evicts", .fault = "a peer of a longer interval is disconnected after two of one's own",
       .class_name = "disconnect count", .must_fail = "CON-009", .may_fail = "",
       .needs = IPCMARK_CAP_PING | IPCMARK_CAP_PEERS, .before_open = tell_interval, .peers = evict)
