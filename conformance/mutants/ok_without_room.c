#include "mutant.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int keep_path(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    char *path = strdup(options->directory);
    endpoint->state = path;
    return path == NULL ? -ENOMEM : 0;
}

/* Each message passes through a file; that there may be no room for it is not looked at. */
static int publish_by_file(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    const int file = open(endpoint->state, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file < 0)
        return errno == ENOSPC ? 0 : mutant_publish(endpoint, parts, count);
    close(file);
    return mutant_publish(endpoint, parts, count);
}

MUTANT(.name = "ok_without_room", .fault = "publish says OK though there was no room for the message",
       .class_name = "lost", .must_fail = "ENV-006", .may_fail = "", .before_open = keep_path,
       .publish = publish_by_file)
