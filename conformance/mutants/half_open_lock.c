#include "mutant.h"

#include <errno.h>
#include <poll.h>

enum { PATIENCE_MS = 2000 };

static int lock(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    atomic_flag *held = mutant_share(options->directory, sizeof *held);
    if (held == NULL)
        return -ENOMEM;
    endpoint->turn = (uint_fast64_t)(uintptr_t)held;
    for (int waited = 0; atomic_flag_test_and_set(held); ++waited) {
        if (waited == PATIENCE_MS)
            return -EBUSY;
        poll(NULL, 0, 1);
    }
    return 0;
}

static void unlock(mutant_endpoint *endpoint)
{
    atomic_flag_clear((atomic_flag *)(uintptr_t)endpoint->turn);
}

MUTANT(.name = "half_open_lock", .fault = "who is killed while it opens leaves a lock that nobody else can open behind",
       .class_name = "disconnect", .must_fail = "KILL-005", .may_fail = "", .before_open = lock, .after_open = unlock)
