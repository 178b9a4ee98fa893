#include "mutant.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The pages are given back at close, and the name is not: shm_unlink() was forgotten. */
struct segment {
    void *bytes;
};

enum { SIZE = 4096 };

static int make(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    static atomic_uint number;
    char name[64];
    struct segment *segment = calloc(1, sizeof *segment);
    (void)options;
    if (segment == NULL)
        return -ENOMEM;
    endpoint->state = segment;
    snprintf(name, sizeof name, "/leak-shm-%d-%u", (int)getpid(), atomic_fetch_add(&number, 1));
    const int file = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (file < 0)
        return -errno;
    const bool mapped =
        ftruncate(file, SIZE) == 0 && (segment->bytes = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, file, 0)) != MAP_FAILED;
    close(file);
    return mapped ? 0 : -ENOMEM;
}

static void unmap(mutant_endpoint *endpoint)
{
    const struct segment *segment = endpoint->state;
    munmap(segment->bytes, SIZE);
}

MUTANT(.name = "leak_shm", .fault = "each open leaves a name in /dev/shm", .class_name = "leftover",
       .must_fail = "LIFE-003 LIFE-004", .may_fail = "*", .before_open = make, .before_close = unmap)
