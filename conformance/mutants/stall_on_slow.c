#include "mutant.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

/* A lock of the whole directory; who dies gives it back. It lies beside the journals, so that it is not left over;
 * where there are none, or it may not be opened, there is no lock. */
static int open_lock(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    int *lock;
    char path[4096];
    if (!endpoint->subscriber)
        return 0;
    lock = malloc(sizeof *lock);
    if (lock == NULL)
        return -ENOMEM;
    endpoint->state = lock;
    snprintf(path, sizeof path, "%s/../journals/../mutant-lock", options->directory);
    *lock = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    return 0;
}

static void close_lock(mutant_endpoint *endpoint)
{
    const int *lock = endpoint->state;
    if (lock != NULL && *lock >= 0)
        close(*lock);
}

static void deliver(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    const int *lock = endpoint->state;
    while (*lock >= 0 && flock(*lock, LOCK_EX) < 0 && errno == EINTR) {
    }
    mutant_deliver(endpoint, parts, count);
    if (*lock >= 0)
        flock(*lock, LOCK_UN);
}

MUTANT(.name = "stall_on_slow", .fault = "a subscriber holds the lock of the queue while it is in its handler",
       .class_name = "late hung", .must_fail = "PACE-001", .may_fail = "*", .before_open = open_lock,
       .deliver = deliver, .after_close = close_lock)
