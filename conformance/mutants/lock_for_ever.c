#include "mutant.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Whatever keeps the lock from being made is taken for somebody who holds it, but that there is nowhere to make it. */
static int lock(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    char *path;
    int file = -1;
    (void)endpoint;
    if (asprintf(&path, "%s/open.lock", options->directory) < 0)
        return -ENOMEM;
    while (file < 0 && (file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600)) < 0 &&
           (errno == EEXIST || errno == EACCES))
        poll(NULL, 0, 1);
    if (file >= 0) {
        unlink(path);
        close(file);
    }
    free(path);
    return 0;
}

MUTANT(.name = "lock_for_ever", .fault = "it waits for ever for a lock file that it may not make", .class_name = "hung",
       .must_fail = "ENV-004", .may_fail = "KILL-005", .before_open = lock)
