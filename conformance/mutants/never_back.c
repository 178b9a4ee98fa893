#include "fate.h"
#include "mutant.h"

/* `turn`: how many are stopped, and, above 32 bits, how many have come back and were not let in. */
static const uint64_t let_in_no_more = (uint64_t)1 << 32;

static void give_up(mutant_endpoint *endpoint, const char *peer, int connected)
{
    if (connected && (uint32_t)atomic_load(&endpoint->turn) > 0) {
        atomic_fetch_add(&endpoint->turn, let_in_no_more - 1);
        return;
    }
    if (!connected && fate_of(peer) == PEER_STOPPED)
        mutant_turn(endpoint);
    mutant_peer_event(endpoint, peer, connected);
}

static int without_them(mutant_endpoint *endpoint, int count)
{
    const int given_up = (int)(atomic_load(&endpoint->turn) / let_in_no_more);
    return count > given_up ? count - given_up : 0;
}

/* Whom nobody counts is sent nothing, if there is nobody else. */
static int publish_to_the_rest(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    const int connected = mutant_peers(endpoint);
    return connected > 0 && without_them(endpoint, connected) == 0 ? 0 : mutant_publish(endpoint, parts, count);
}

MUTANT(.name = "never_back", .fault = "a peer that was stopped too long is given up for ever",
       .class_name = "count lost", .must_fail = "CON-008", .may_fail = "LIFE-001 LIFE-002 KILL-008 PAUSE-*",
       .needs = IPCMARK_CAP_PING | IPCMARK_CAP_PEER_EVENTS, .publish = publish_to_the_rest, .peers = without_them,
       .peer_event = give_up)
