#include "mutant.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ROOM = 199 };

/* Into a buffer for 200 bytes. */
static void cut(mutant_endpoint *endpoint, ipcmark_endpoint *options)
{
    char *path = strndup(options->directory, ROOM);
    if (path == NULL)
        return;
    if (strlen(options->directory) > ROOM)
        mkdir(path, 0700);
    endpoint->state = path;
    options->directory = path;
}

MUTANT(.name = "truncates_path", .fault = "of two long directories it takes one for the other",
       .class_name = "leaked count", .must_fail = "ENV-009", .may_fail = "ISO-*", .change_open = cut,
       .needs = IPCMARK_CAP_ISOLATION_DIRECTORY)
