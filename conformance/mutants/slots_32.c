#include "mutant.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 32 };

/* Adds to the slots that are taken, and returns how many were; -1: out of memory. */
static int change(const char *directory, int by)
{
    atomic_int *taken = mutant_share(directory, sizeof *taken);
    return taken == NULL ? -1 : atomic_fetch_add(taken, by);
}

static int take_slot(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    const int before = change(options->directory, 1);
    if (before >= SLOTS)
        change(options->directory, -1);
    if (before < 0 || before >= SLOTS)
        return before < 0 ? -ENOMEM : -ENOSPC;
    endpoint->state = strdup(options->directory);
    return 0;
}

/* Only by those who live to do so. */
static void give_back(mutant_endpoint *endpoint)
{
    if (endpoint->state != NULL)
        change(endpoint->state, -1);
}

MUTANT(.name = "slots_32", .fault = "who dies keeps its slot, and there are 32", .class_name = "disconnect",
       .must_fail = "KILL-006", .may_fail = "KILL-004", .before_open = take_slot, .after_close = give_back)
