#include "mutant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The suite's folders are called files, files1, …: the number is left out. */
static void forget(mutant_endpoint *endpoint, ipcmark_endpoint *options)
{
    char *directory = strdup(options->directory), *end;
    if (directory == NULL)
        return;
    end = directory + strlen(directory);
    while (end > directory && end[-1] >= '0' && end[-1] <= '9')
        *--end = '\0';
    endpoint->state = directory;
    options->directory = directory;
}

MUTANT(.name = "leak_directory", .fault = "the same channel of two directories is one", .class_name = "leaked count",
       .must_fail = "ISO-002", .may_fail = "ENV-009", .needs = IPCMARK_CAP_ISOLATION_DIRECTORY, .change_open = forget)
