#include "mutant.h"
#include "scan.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* What nobody holds a lock on must be of the dead. */
static void clean(int directory, const char *name)
{
    struct stat status;
    const int file = openat(directory, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0)
        return;
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && flock(file, LOCK_EX | LOCK_NB) == 0)
        unlinkat(directory, name, 0);
    close(file);
}

static int clean_at_open(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)endpoint;
    scan(options->directory, clean);
    return 0;
}

MUTANT(.name = "removes_foreign", .fault = "it clears away files that are not its own", .class_name = "corrupt",
       .must_fail = "ENV-001 ENV-010", .may_fail = "ENV-002", .before_open = clean_at_open)
