#include "mutant.h"

#include <errno.h>
#include <sys/shm.h>

/* Detached at close, and never removed: that the last one to detach removes it is true only of one that is marked. */
static int make(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    const int id = shmget(IPC_PRIVATE, 4096, 0600);
    (void)endpoint, (void)options;
    if (id < 0)
        return -errno;
    const void *bytes = shmat(id, NULL, 0);
    return (intptr_t)bytes == -1 || shmdt(bytes) < 0 ? -errno : 0;
}

MUTANT(.name = "leak_sysv", .fault = "each open leaves a System V segment", .class_name = "leftover",
       .must_fail = "LIFE-003 LIFE-004", .may_fail = "*", .before_open = make)
