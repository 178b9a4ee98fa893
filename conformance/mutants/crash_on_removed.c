#include "mutant.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int keep_path(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    char *path = strdup(options->directory);
    endpoint->state = path;
    return path == NULL ? -ENOMEM : 0;
}

/* As an assertion would. */
static int publish_there(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    if (mutant_turn(endpoint) % 16 == 0 && access(endpoint->state, F_OK) < 0)
        abort();
    return mutant_publish(endpoint, parts, count);
}

MUTANT(.name = "crash_on_removed", .fault = "a publisher whose directory is gone aborts", .class_name = "crashed",
       .must_fail = "ENV-005", .may_fail = "", .before_open = keep_path, .publish = publish_there)
