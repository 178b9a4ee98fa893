#include "mutant.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

/* Long enough for whoever was told to open at the same moment. */
enum { SEARCH_MS = 20 };

static int search_alone(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    const int directory = open(options->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = 0;
    (void)endpoint;
    if (directory < 0)
        return 0; /* the base will say so */
    if (flock(directory, LOCK_EX | LOCK_NB) < 0)
        result = -EBUSY;
    else
        poll(NULL, 0, SEARCH_MS);
    close(directory);
    return result;
}

MUTANT(.name = "race_open", .fault = "an open fails while somebody else looks through the directory",
       .class_name = "disconnect", .must_fail = "CON-003 LIFE-005", .may_fail = "*", .before_open = search_alone)
