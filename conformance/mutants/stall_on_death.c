#include "mutant.h"
#include "others.h"

#include <errno.h>
#include <poll.h>

enum { STALL_MS = 3000 };

typedef struct {
    atomic_int pid;
    atomic_uint_fast64_t gone_ms;
} missing;

static int remember(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)options;
    endpoint->state = calloc(1, sizeof(missing));
    return endpoint->state == NULL ? -ENOMEM : 0;
}

static void notice(mutant_endpoint *endpoint, const char *peer, int connected)
{
    missing *const one = endpoint->state;
    if (!connected) {
        atomic_store(&one->gone_ms, mutant_now_ms());
        atomic_store(&one->pid, peer_pid(peer));
    }
    mutant_peer_event(endpoint, peer, connected);
}

/* Waits for an answer that a time-out stands in for. A process that only closed is still there, and answers. */
static int stall(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    missing *const one = endpoint->state;
    const int pid = atomic_load(&one->pid);
    if (pid != 0 && (process_is_dead(pid) || mutant_now_ms() - atomic_load(&one->gone_ms) > 500)) {
        atomic_store(&one->pid, 0);
        if (process_is_dead(pid))
            poll(NULL, 0, STALL_MS);
    }
    return mutant_publish(endpoint, parts, count);
}

MUTANT(.name = "stall_on_death", .fault = "publish waits some seconds when a subscriber has died", .class_name = "late",
       .must_fail = "KILL-007", .may_fail = "KILL-005 KILL-008", .needs = IPCMARK_CAP_PEER_EVENTS, .base = "mmipc",
       .before_open = remember, .peer_event = notice, .publish = stall)
