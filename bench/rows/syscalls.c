#include "syscalls.h"

#include <dirent.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { THREADS = 1024, TRIES = 100 };

/* The number of the event, which differs from kernel to kernel. */
static int find_event(uint64_t *event)
{
    static const char *const files[] = {"/sys/kernel/tracing/events/raw_syscalls/sys_enter/id",
                                        "/sys/kernel/debug/tracing/events/raw_syscalls/sys_enter/id"};
    int error = -ENOENT;

    for (size_t i = 0; i < sizeof files / sizeof files[0]; ++i) {
        FILE *file = fopen(files[i], "re");
        unsigned number;
        if (file == NULL) {
            error = errno == ENOENT ? error : -errno;
            continue;
        }
        int read = fscanf(file, "%u", &number);
        fclose(file);
        if (read == 1) {
            *event = number;
            return 0;
        }
    }
    return error;
}

/* inherit: also in the threads that this one starts. */
static int open_counter(uint64_t event, pid_t thread)
{
    struct perf_event_attr attributes = {
        .type = PERF_TYPE_TRACEPOINT, .size = sizeof attributes, .config = event, .inherit = 1};
    long fd = syscall(SYS_perf_event_open, &attributes, thread, -1, -1, (unsigned long)PERF_FLAG_FD_CLOEXEC);

    return fd < 0 ? -errno : (int)fd;
}

/* The threads that there are now, in the order in which they were started. Returns how many; or -errno. */
static int list_threads(const char *path, pid_t list[THREADS])
{
    DIR *tasks = opendir(path);
    const struct dirent *entry;
    int count = 0;

    if (tasks == NULL)
        return -errno;
    while ((entry = readdir(tasks)) != NULL && count < THREADS)
        if (entry->d_name[0] != '.')
            list[count++] = (pid_t)atoi(entry->d_name);
    closedir(tasks);
    return count;
}

static int open_all(struct syscalls *self, uint64_t event, const pid_t *threads, int count)
{
    for (int i = 0; i < count; ++i) {
        int fd = open_counter(event, threads[i]);
        if (fd < 0)
            return fd;
        self->counters[self->count++] = fd;
    }
    return 0;
}

/* -EAGAIN: threads came or went meanwhile, and some may be counted twice or not at all. */
static int try(struct syscalls *self, uint64_t event, const char *path)
{
    pid_t before[THREADS], after[THREADS];
    int count = list_threads(path, before), result = count < 0 ? count : open_all(self, event, before, count);

    if (result == -ESRCH)
        return -EAGAIN;
    if (result < 0)
        return result;
    return list_threads(path, after) == count && memcmp(before, after, (size_t)count * sizeof before[0]) == 0 ? 0
                                                                                                              : -EAGAIN;
}

int syscalls_open(struct syscalls *out, pid_t process)
{
    struct syscalls self = {.counters = calloc(THREADS, sizeof *self.counters)};
    char path[64];
    uint64_t event;
    int result = self.counters == NULL ? -ENOMEM : find_event(&event);

    snprintf(path, sizeof path, "/proc/%d/task", (int)process);
    for (int tries = 0; result == 0 || (result == -EAGAIN && tries < TRIES); ++tries) {
        for (; self.count > 0; --self.count)
            close(self.counters[self.count - 1]);
        result = try(&self, event, path);
        if (result == 0)
            break;
    }
    if (result < 0)
        syscalls_close(&self);
    else
        *out = self;
    return result;
}

double syscalls_read(const struct syscalls *self)
{
    double sum = 0;

    for (size_t i = 0; i < self->count; ++i) {
        uint64_t value;
        if (read(self->counters[i], &value, sizeof value) != (ssize_t)sizeof value)
            return NAN;
        sum += (double)value;
    }
    return sum;
}

void syscalls_close(struct syscalls *self)
{
    for (size_t i = 0; i < self->count; ++i)
        close(self->counters[i]);
    free(self->counters);
    *self = (struct syscalls){0};
}
