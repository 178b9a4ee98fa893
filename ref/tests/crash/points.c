#include "reach.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { REGIONS_MAX = 512 };

extern const struct point *__start_points[], *__stop_points[]; /* by the linker: the section */

extern const char __executable_start[], etext[];

static struct point_order order = {.index = -1};
static struct point_tracks *tracks;

size_t points_count(void)
{
    return (size_t)(__stop_points - __start_points);
}

const struct point *points_get(size_t index)
{
    return __start_points[index];
}

void points_arm(struct point_tracks *into, const struct point_order *what)
{
    order = *what;
    tracks = into;
}

static void fail(const char *what)
{
    perror(what);
    abort();
}

/* Frame pointers lead to the callers, as far as they are this program's. */
static void find_callers(void *const *frame, uint32_t calls[WAY_CALLS])
{
    for (int i = 0; i < WAY_CALLS; ++i) {
        void *const *caller = *frame;
        if (caller <= frame || (const char *)caller - (const char *)frame > 1 << 20 ||
            (const char *)caller[1] < __executable_start || (const char *)caller[1] >= etext)
            return;
        calls[i] = (uint32_t)((const char *)caller[1] - __executable_start);
        frame = caller;
    }
}

static struct point_way *way_to(size_t index, void *const *frame)
{
    uint32_t calls[WAY_CALLS] = {0};
    uint64_t name = index + 1;
    find_callers(frame, calls);
    for (int i = 0; i < WAY_CALLS; ++i)
        name = (name ^ calls[i]) * UINT64_C(0x9e3779b97f4a7c15) ^ name >> 29;
    for (size_t i = 0; i < WAYS_MAX; ++i) {
        struct point_way *way = &tracks->ways[(name + i) % WAYS_MAX];
        uint64_t found = 0;
        if (atomic_compare_exchange_strong(&way->name, &found, name)) {
            way->point = (uint32_t)index;
            memcpy(way->calls, calls, sizeof calls);
            return way;
        }
        if (found == name)
            return way;
    }
    fail("more ways than reach.h has room for");
    return NULL;
}

void point_reach(const struct point *const *entry)
{
    const long index = entry - (const struct point *const *)__start_points;
    const int error = errno;
    unsigned hits, hits_on_way;
    struct point_way *way;
    if (tracks == NULL)
        return;
    way = way_to((size_t)index, __builtin_frame_address(0));
    hits = ++tracks->hits[index];
    hits_on_way = ++way->hits;
    if (index == order.index && (order.way == 0 || order.way == way->name) &&
        (order.way == 0 ? hits : hits_on_way) == order.hit)
        syscall(SYS_tgkill, getpid(), gettid(), order.signal); /* to this very thread: it goes no further */
    errno = error;
}

/* Shared memory that this process may write: read-only where the library sees it, once it is sealed to be sent away,
 * and writable elsewhere. */
struct region {
    char *base, *writable;
    size_t bytes;
    int fd; /* -1: sealed */
};
static struct region regions[REGIONS_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct region *region_of(const char *at)
{
    for (size_t i = 0; i < REGIONS_MAX; ++i)
        if (regions[i].base != NULL && at >= regions[i].base && at < regions[i].base + regions[i].bytes)
            return &regions[i];
    return NULL;
}

/* How many of `bytes` lie together; they may go on in the mapping that follows. */
static char *writable(const volatile void *at, size_t *bytes)
{
    char *here = (char *)(uintptr_t)at;
    const struct region *region;
    pthread_mutex_lock(&lock);
    region = region_of(here);
    if (region != NULL) {
        const size_t left = (size_t)(region->base + region->bytes - here);
        *bytes = *bytes < left ? *bytes : left;
        here = region->writable + (here - region->base);
    }
    pthread_mutex_unlock(&lock);
    return here;
}

void *point_writable(const volatile void *at)
{
    size_t bytes = 1;
    return writable(at, &bytes);
}

static void copy(char *to, const char *from, size_t bytes)
{
    while (bytes > 0) {
        size_t together = bytes;
        char *here = writable(to, &together);
        memcpy(here, from, together);
        to += together;
        from += together;
        bytes -= together;
    }
}

void point_copy(void *to, const void *from, size_t bytes, const struct point *const *half_way)
{
    copy(to, from, bytes / 2);
    point_reach(half_way);
    copy((char *)to + bytes / 2, (const char *)from + bytes / 2, bytes - bytes / 2);
}

void *point_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    char *base = mmap(at, bytes, protection, flags, fd, offset);
    struct region *region = regions;
    if (base == MAP_FAILED || (flags & MAP_SHARED) == 0 || (protection & PROT_WRITE) == 0)
        return base;
    pthread_mutex_lock(&lock);
    while (region < regions + REGIONS_MAX && region->base != NULL)
        ++region;
    if (region == regions + REGIONS_MAX)
        fail("more mappings than points.c has room for");
    *region = (struct region){base, mmap(NULL, bytes, protection, MAP_SHARED, fd, offset), bytes, fd};
    if (region->writable == MAP_FAILED)
        fail("mmap");
    pthread_mutex_unlock(&lock);
    return base;
}

int point_munmap(void *at, size_t bytes)
{
    char *begin = at;
    pthread_mutex_lock(&lock);
    for (struct region *region = regions; region < regions + REGIONS_MAX; ++region)
        if (region->base >= begin && region->base < begin + bytes) {
            munmap(region->writable, region->bytes);
            *region = (struct region){0};
        }
    pthread_mutex_unlock(&lock);
    return munmap(at, bytes);
}

/* From now on others may have it. */
static void protect(int fd)
{
    pthread_mutex_lock(&lock);
    for (struct region *region = regions; region < regions + REGIONS_MAX; ++region)
        if (region->base != NULL && region->fd == fd) {
            if (mprotect(region->base, region->bytes, PROT_READ) != 0)
                fail("mprotect");
            region->fd = -1;
        }
    pthread_mutex_unlock(&lock);
}

int point_fcntl(int fd, int command, ...)
{
    va_list rest;
    int argument, result;
    if (command != F_ADD_SEALS)
        return fcntl(fd, command);
    va_start(rest, command);
    argument = va_arg(rest, int);
    va_end(rest);
    result = fcntl(fd, command, argument);
    if (result == 0)
        protect(fd);
    return result;
}

static bool is_alike(const struct point *a, const struct point *b)
{
    return strcmp(a->unit, b->unit) == 0 && strcmp(a->function, b->function) == 0 && strcmp(a->call, b->call) == 0;
}

char *points_name(size_t index)
{
    const struct point *point = points_get(index);
    const char *unit = strstr(point->unit, "/src/") != NULL ? strstr(point->unit, "/src/") : strrchr(point->unit, '/');
    int before = 0;
    char *name;
    for (size_t i = 0; i < points_count(); ++i) {
        const struct point *other = points_get(i);
        before += is_alike(point, other) &&
                  (other->line < point->line || (other->line == point->line && other->order < point->order));
    }
    if (asprintf(&name, before == 0 ? "%s:%s:%s" : "%s:%s:%s#%d", unit == NULL ? point->unit : unit + 1,
                 point->function, point->call, before + 1) < 0)
        fail("asprintf");
    return name;
}

long points_find(const char *name)
{
    long found = -1;
    for (size_t i = 0; i < points_count() && found < 0; ++i) {
        char *here = points_name(i);
        found = strcmp(here, name) == 0 ? (long)i : -1;
        free(here);
    }
    return found;
}
