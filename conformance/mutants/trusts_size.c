#include "mutant.h"
#include "scan.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* All of it onto the stack, however much it says it is. */
static void take(int directory, const char *name)
{
    struct stat status;
    const int file = openat(directory, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0)
        return;
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode)) {
        volatile char *const copy = __builtin_alloca((size_t)status.st_size + 1);
        copy[0] = '\0';
        while (read(file, (char *)copy, 1) < 0)
            ;
    }
    close(file);
}

static int take_at_open(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)endpoint;
    scan(options->directory, take);
    return 0;
}

MUTANT(.name = "trusts_size", .fault = "it makes room for as much as a file claims to hold", .class_name = "crashed",
       .must_fail = "ENV-001", .may_fail = "ENV-002 ENV-006", .before_open = take_at_open)
