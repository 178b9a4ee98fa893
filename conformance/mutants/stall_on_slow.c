#include "mutant.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

/* A lock of the whole directory; who dies gives it back. */
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
    snprintf(path, sizeof path, "%s/../mutant-lock", options->directory);
    *lock = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    return *lock < 0 ? -errno : 0;
}

static void close_lock(mutant_endpoint *endpoint)
{
    const int *lock = endpoint->state;
    if (lock != NULL)
        close(*lock);
}

static void deliver(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    const int *lock = endpoint->state;
    while (flock(*lock, LOCK_EX) < 0 && errno == EINTR) {
    }
    mutant_deliver(endpoint, parts, count);
    flock(*lock, LOCK_UN);
}

MUTANT(.name = "stall_on_slow", .fault = "a subscriber holds the lock of the queue while it is in its handler",
       .class_name = "late hung", .must_fail = "PACE-001", .may_fail = "*", .before_open = open_lock,
       .deliver = deliver, .after_close = close_lock)
