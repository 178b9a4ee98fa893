#include "mutant.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 8192 };

static _Atomic(volatile char *) segment;

/* Of shared memory that was not reserved: the first store into each page may find that there is none. */
static int make_segment(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    char name[64];
    void *memory = MAP_FAILED;
    int file;
    if (endpoint->subscriber || segment != NULL)
        return 0;
    snprintf(name, sizeof name, "/ipcmark-mutant-%d-%s", (int)getpid(), options->id);
    file = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
    if (file < 0)
        return -errno;
    shm_unlink(name);
    if (ftruncate(file, (off_t)PAGE * PAGES) == 0)
        memory = mmap(NULL, (size_t)PAGE * PAGES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (memory == MAP_FAILED)
        return -ENOMEM;
    segment = memory;
    return 0;
}

static int publish_there(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    segment[mutant_turn(endpoint) % PAGES * PAGE] = 1;
    return mutant_publish(endpoint, parts, count);
}

MUTANT(.name = "unreserved_memory", .fault = "a publisher dies of SIGBUS when /dev/shm is full",
       .class_name = "crashed", .must_fail = "ENV-011", .may_fail = "LIFE-*", .before_open = make_segment,
       .publish = publish_there)
