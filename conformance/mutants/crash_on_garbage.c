#include "mutant.h"
#include "scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* There must be something in it. */
static void parse(int directory, const char *name)
{
    char first;
    const int file = openat(directory, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    const ssize_t got = file < 0 ? 1 : read(file, &first, 1);
    if (file >= 0)
        close(file);
    if (got == 0)
        abort();
}

static int look_at_open(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    char *path = strdup(options->directory);
    if (path == NULL)
        return -ENOMEM;
    endpoint->state = path;
    scan(path, parse);
    return 0;
}

static int look_now_and_then(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    if (mutant_turn(endpoint) % 50 == 0)
        scan(endpoint->state, parse);
    return mutant_publish(endpoint, parts, count);
}

MUTANT(.name = "crash_on_garbage", .fault = "an empty file in the directory is too much for it",
       .class_name = "crashed", .must_fail = "ENV-001 ENV-002", .may_fail = "ENV-010", .before_open = look_at_open,
       .publish = look_now_and_then)
