#include "mutant.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of its own, as near to the missing one as it can be. */
static void go_elsewhere(mutant_endpoint *endpoint, ipcmark_endpoint *options)
{
    char *path, *other = NULL;
    if (access(options->directory, F_OK) == 0 || (path = strdup(options->directory)) == NULL)
        return;
    while (access(path, F_OK) < 0 && strrchr(path, '/') > path)
        *strrchr(path, '/') = '\0';
    if (asprintf(&other, "%s/for-%s", path, options->id) >= 0) {
        mkdir(other, 0700);
        endpoint->state = other;
        options->directory = other;
    }
    free(path);
}

MUTANT(.name = "silent_missing_directory", .fault = "without the directory open succeeds, and nobody ever connects",
       .class_name = "count lost", .must_fail = "ENV-003", .may_fail = "", .change_open = go_elsewhere)
