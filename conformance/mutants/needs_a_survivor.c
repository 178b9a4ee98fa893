#include "mutant.h"
#include "others.h"

#include <errno.h>
#include <unistd.h>

enum { SEATS = 256 };

/* Who is there, by process; the dead are only replaced. In `turn`: its own seat. */
static int join(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    atomic_int *const seats = mutant_share(options->directory, SEATS * sizeof *seats);
    bool alive = false, dead = false;
    if (seats == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < SEATS; ++i) {
        const int pid = atomic_load(&seats[i]);
        alive |= pid != 0 && !process_is_dead(pid);
        dead |= pid != 0 && process_is_dead(pid);
    }
    if (dead && !alive)
        return -EBUSY;
    for (size_t i = 0; i < SEATS; ++i) {
        int pid = atomic_load(&seats[i]);
        if ((pid == 0 || process_is_dead(pid)) && atomic_compare_exchange_strong(&seats[i], &pid, getpid())) {
            atomic_store(&endpoint->turn, i);
            return 0;
        }
    }
    return -ENOSPC;
}

static void leave(mutant_endpoint *endpoint)
{
    atomic_int *const seats = mutant_share(endpoint->directory, SEATS * sizeof *seats);
    atomic_store(&seats[atomic_load(&endpoint->turn)], 0);
}

MUTANT(.name = "needs_a_survivor",
       .fault = "those who live clear away the dead, and where there are only dead nobody may come in",
       .class_name = "disconnect", .must_fail = "KILL-004", .may_fail = "", .before_open = join, .after_close = leave)
