#include "mutant.h"
#include "scan.h"

#include <fcntl.h>
#include <unistd.h>

/* Of a FIFO this waits for who writes into it. */
static void read_it(int directory, const char *name)
{
    const int file = openat(directory, name, O_RDONLY | O_CLOEXEC);
    if (file >= 0)
        close(file);
}

static int look_at_open(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)endpoint;
    scan(options->directory, read_it);
    return 0;
}

MUTANT(.name = "hang_on_fifo", .fault = "it opens whatever lies in the directory, and waits", .class_name = "hung",
       .must_fail = "ENV-001", .may_fail = "ENV-002", .before_open = look_at_open)
