#include "mutant.h"
#include "scan.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_llong opened_ns; /* CLOCK_REALTIME, as files are dated; the latest of this process */

static int note_time(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    struct timespec now;
    (void)endpoint, (void)options;
    clock_gettime(CLOCK_REALTIME, &now);
    atomic_store(&opened_ns, now.tv_sec * 1000000000ll + now.tv_nsec);
    return 0;
}

/* What was there before is none of its peers'; whose file is new has something to say. */
static void greet(int directory, const char *name)
{
    struct stat status;
    if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(status.st_mode))
        return;
    if (status.st_ctim.tv_sec * 1000000000ll + status.st_ctim.tv_nsec > atomic_load(&opened_ns) && status.st_size == 0)
        abort();
}

static int look_now_and_then(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    if (mutant_turn(endpoint) % 50 == 0)
        scan(endpoint->directory, greet);
    return mutant_publish(endpoint, parts, count);
}

MUTANT(.name = "crash_on_incomplete",
       .fault = "who finds a new file before anything is in it takes it for a peer's, and crashes",
       .class_name = "crashed", .must_fail = "ENV-002", .may_fail = "ENV-006", .before_open = note_time,
       .publish = look_now_and_then)
