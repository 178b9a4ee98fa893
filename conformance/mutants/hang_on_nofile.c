#include "mutant.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

static int use_one(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    int file;
    (void)endpoint, (void)options;
    while ((file = open("/dev/null", O_RDWR | O_CLOEXEC)) < 0)
        poll(NULL, 0, 1);
    close(file);
    return 0;
}

MUTANT(.name = "hang_on_nofile", .fault = "open waits until there are descriptors", .class_name = "hung",
       .must_fail = "ENV-007", .may_fail = "", .before_open = use_one)
