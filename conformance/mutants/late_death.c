#include "fate.h"
#include "mutant.h"

#include <errno.h>

enum { DEATHS = 64, INTERVALS = 10 };

typedef struct {
    uint64_t interval_ns;
    _Atomic int present; /* by the events: the base's own count falls before it tells of the death */
    atomic_uint died;
    _Atomic uint64_t noticed_ns[DEATHS]; /* of each that died; 0: none */
} deaths;

static int remember_interval(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    deaths *all = calloc(1, sizeof *all);
    if (all == NULL)
        return -ENOMEM;
    all->interval_ns = options->ping_interval_ms * 1000000ull;
    atomic_store(&endpoint->state, all);
    return 0;
}

static void notice_late(mutant_endpoint *endpoint, const char *peer, int connected)
{
    deaths *all = atomic_load(&endpoint->state);
    if (!connected && fate_of(peer) == PEER_DEAD)
        all->noticed_ns[atomic_fetch_add(&all->died, 1) % DEATHS] = mutant_now_ns() + INTERVALS * all->interval_ns;
    all->present += connected ? 1 : -1;
    mutant_peer_event(endpoint, peer, connected);
}

static int with_the_dying(mutant_endpoint *endpoint, int count)
{
    const deaths *all = atomic_load(&endpoint->state);
    count = all->present;
    for (size_t i = 0; i < DEATHS; ++i)
        count += all->noticed_ns[i] > mutant_now_ns();
    return count;
}

MUTANT(.name = "late_death", .fault = "a death is noticed only after ten intervals", .class_name = "late count",
       .must_fail = "CON-007", .may_fail = "CON-001 CON-002 CON-004 CON-005 PACE-008 KILL-005",
       .needs = IPCMARK_CAP_PING | IPCMARK_CAP_PEER_EVENTS, .before_open = remember_interval, .peers = with_the_dying,
       .peer_event = notice_late)
