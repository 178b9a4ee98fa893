#include "mutant.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum { CLEANING_MS = 5 };

/* Keeps the directory open until close. */
static int open_unless_cleaned(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    int *directory = malloc(sizeof *directory);
    if (directory == NULL)
        return -ENOMEM;
    *directory = open(options->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*directory >= 0 && flock(*directory, LOCK_SH | LOCK_NB) < 0) {
        close(*directory);
        free(directory);
        return -EBUSY;
    }
    flock(*directory, LOCK_UN);
    atomic_store(&endpoint->state, directory);
    return 0;
}

static void clean(mutant_endpoint *endpoint)
{
    const int directory = *(const int *)atomic_load(&endpoint->state);
    if (directory < 0)
        return;
    flock(directory, LOCK_EX);
    poll(NULL, 0, CLEANING_MS);
    close(directory);
}

MUTANT(.name = "race_close", .fault = "an open fails while somebody else closes, who cleans the directory",
       .class_name = "disconnect", .must_fail = "LIFE-005", .may_fail = "CHURN-*", .before_open = open_unless_cleaned,
       .after_close = clean)
