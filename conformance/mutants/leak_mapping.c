#include "mutant.h"

#include <errno.h>
#include <sys/mman.h>

static int leak(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)endpoint, (void)options;
    return mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -ENOMEM : 0;
}

MUTANT(.name = "leak_mapping", .fault = "each open leaves a page of shared memory mapped", .class_name = "leftover",
       .must_fail = "LIFE-003 LIFE-004", .may_fail = "", .before_open = leak)
