#include "mutant.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A lock file with the endpoint's number, its epoch left out: whoever comes back after a kill finds it. */
static int lock(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    char *path;
    int file;
    if (asprintf(&path, "%s/%.*s.lock", options->directory, (int)strcspn(options->id, "."), options->id) < 0)
        return -ENOMEM;
    endpoint->state = path;
    file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0)
        return -errno;
    close(file);
    return 0;
}

static void unlock(mutant_endpoint *endpoint)
{
    unlink(endpoint->state);
}

MUTANT(.name = "stale_lock", .fault = "a killed participant leaves a lock that keeps it from coming back",
       .class_name = "disconnect", .must_fail = "CON-004 KILL-004", .may_fail = "CON-* PACE-008 LIFE-* KILL-*",
       .before_open = lock, .after_close = unlock)
