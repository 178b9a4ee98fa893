#include "mutant.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int use_one(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    const int file = open("/dev/null", O_RDWR | O_CLOEXEC);
    (void)endpoint, (void)options;
    if (file < 0)
        abort();
    close(file);
    return 0;
}

MUTANT(.name = "crash_on_nofile", .fault = "open aborts without descriptors", .class_name = "crashed",
       .must_fail = "ENV-007", .may_fail = "", .before_open = use_one)
