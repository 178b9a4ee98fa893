#include "mutant.h"
#include "others.h"

enum { SKIPPED = 3, HIDDEN = 16 };

static atomic_int hidden[HIDDEN]; /* processes that are stopped, and reported to nobody */

static int watch(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)options;
    watch_continued();
    endpoint->turn = (uint_fast64_t)atomic_load(&continued_count) << 32;
    return 0;
}

static bool replace(int from, int to)
{
    for (size_t i = 0; i < HIDDEN; ++i) {
        int expected = from;
        if (atomic_compare_exchange_strong(&hidden[i], &expected, to))
            return true;
    }
    return false;
}

static void hide(mutant_endpoint *endpoint, const char *peer, int connected)
{
    const int pid = peer_pid(peer);
    const bool quiet = pid != 0 && (connected ? replace(pid, 0) : process_state(pid) == 'T' && replace(0, pid));
    if (!quiet)
        mutant_peer_event(endpoint, peer, connected);
}

static void deliver(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    const uint_fast64_t stops = atomic_load(&continued_count);
    if (endpoint->turn >> 32 != stops)
        endpoint->turn = stops << 32 | SKIPPED;
    if ((endpoint->turn & 0xFF) != 0)
        --endpoint->turn;
    else
        mutant_deliver(endpoint, parts, count);
}

MUTANT(.name = "evict_paused_silently", .fault = "a stopped subscriber is evicted and let in again, and nobody is told",
       .class_name = "lost", .must_fail = "PAUSE-003 PAUSE-004",
       .may_fail = "CON-008 LIFE-001 KILL-008 PAUSE-* ENV-008", .needs = IPCMARK_CAP_PEER_EVENTS, .base = "mmipc",
       .before_open = watch, .peer_event = hide, .deliver = deliver)
