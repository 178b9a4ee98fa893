#include "mutant.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int leak(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    char path[4096];
    int file;
    (void)endpoint;
    snprintf(path, sizeof path, "%s/left.XXXXXX", options->directory);
    file = mkstemp(path);
    if (file < 0)
        return -errno;
    close(file);
    return 0;
}

MUTANT(.name = "leak_file", .fault = "each open leaves a file in the directory", .class_name = "leftover",
       .must_fail = "LIFE-003 LIFE-004", .may_fail = "*", .before_open = leak)
