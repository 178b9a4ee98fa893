#include "mutant.h"

#include <fcntl.h>

static int leak(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)endpoint, (void)options;
    return open("/dev/null", O_RDONLY | O_CLOEXEC) < 0 ? -1 : 0;
}

MUTANT(.name = "leak_fd", .fault = "each open leaves a descriptor behind", .class_name = "leftover",
       .must_fail = "LIFE-003 LIFE-004", .may_fail = "", .before_open = leak)
