#include "mutant.h"

#include <stdlib.h>

static const uint64_t period_ns = 7000000000;

typedef struct {
    _Atomic int seen;
    _Atomic uint64_t looked_ns;
} looks;

static int start_looking(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    looks *self = calloc(1, sizeof *self);
    (void)options;
    if (self != NULL)
        self->looked_ns = mutant_now_ns();
    atomic_store(&endpoint->state, self);
    return 0;
}

/* Who goes is seen at once; who comes, when it is time to look again. */
static int look_now_and_then(mutant_endpoint *endpoint, int count)
{
    looks *self = atomic_load(&endpoint->state);
    if (self == NULL)
        return count;
    if (count < self->seen || mutant_now_ns() - self->looked_ns > period_ns) {
        self->looked_ns = mutant_now_ns();
        self->seen = count;
    }
    return self->seen;
}

MUTANT(.name = "slow_discovery", .fault = "the directory is looked through once in seven seconds",
       .class_name = "late count", .must_fail = "CON-006", .may_fail = "*", .needs = IPCMARK_CAP_PEERS,
       .before_open = start_looking, .peers = look_now_and_then)
