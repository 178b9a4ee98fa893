#include "mutant.h"
#include "others.h"

enum { STOPPED = 16 };

static bool replace(atomic_int *all, int from, int to)
{
    for (size_t i = 0; i < STOPPED; ++i) {
        int expected = from;
        if (atomic_compare_exchange_strong(&all[i], &expected, to))
            return true;
    }
    return false;
}

static int remember(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)options;
    endpoint->state = calloc(STOPPED, sizeof(atomic_int));
    return 0;
}

static void notice(mutant_endpoint *endpoint, const char *peer, int connected)
{
    const int pid = peer_pid(peer);
    if (pid != 0 && connected)
        replace(endpoint->state, pid, 0);
    else if (pid != 0 && process_state(pid) == 'T')
        replace(endpoint->state, 0, pid);
    mutant_peer_event(endpoint, peer, connected);
}

/* Their places are kept for them, and nobody looks whether they can come back. */
static int count(mutant_endpoint *endpoint, int peers)
{
    atomic_int *const all = endpoint->state;
    for (size_t i = 0; all != NULL && i < STOPPED; ++i)
        if (all[i] != 0 && process_is_dead(all[i]))
            ++peers;
    return peers;
}

MUTANT(.name = "count_stopped_dead", .fault = "who is killed while it is stopped is counted for ever",
       .class_name = "count", .must_fail = "KILL-008", .may_fail = "", .needs = IPCMARK_CAP_PEER_EVENTS,
       .base = "mmipc", .before_open = remember, .peer_event = notice, .peers = count)
