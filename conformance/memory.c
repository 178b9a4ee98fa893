#include "memory.h"

#include "census.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "55d0-55d4 rw-s 00000000 00:01 1 /path": the head of a mapping; its figures are in the lines below it. */
static bool read_head(const char *line, bool *is_shared, const char **path)
{
    char sharing;
    if (sscanf(line, "%*x-%*x %*c%*c%*c%c", &sharing) != 1)
        return false;
    *is_shared = sharing == 's';
    *path = strchr(line, '/');
    return true;
}

static void add_figure(memory *self, const char *line, bool is_shared)
{
    unsigned long long kilobytes;
    if (sscanf(line, "Rss: %llu kB", &kilobytes) == 1) {
        self->resident += kilobytes * 1024;
        self->shared += is_shared ? kilobytes * 1024 : 0;
    } else if (sscanf(line, "Pss: %llu kB", &kilobytes) == 1) {
        self->proportional += kilobytes * 1024;
    }
}

int memory_take(memory *out, int pid, const char *except)
{
    char folder[PATH_MAX], path[64], line[PATH_MAX + 256];
    bool is_shared = false, counts = false;
    memory taken = {0};
    census held;
    FILE *maps;
    if (census_take(&held, pid, except) < 0)
        return -ESRCH;
    if (realpath(except, folder) == NULL)
        snprintf(folder, sizeof folder, "%s", except);
    snprintf(path, sizeof path, "/proc/%d/smaps", pid);
    maps = fopen(path, "re");
    if (maps == NULL)
        return -errno;
    while (fgets(line, sizeof line, maps) != NULL) {
        const char *file;
        if (read_head(line, &is_shared, &file))
            counts = file == NULL || folder[0] == '\0' || strncmp(file, folder, strlen(folder)) != 0;
        else if (counts)
            add_figure(&taken, line, is_shared);
    }
    fclose(maps);
    taken.descriptors = held.descriptors;
    taken.threads = held.threads;
    taken.mappings = held.mappings;
    *out = taken;
    return 0;
}

uint64_t memory_available(void)
{
    unsigned long long kibibytes = 0;
    char line[128];
    FILE *info = fopen("/proc/meminfo", "re");
    while (info != NULL && fgets(line, sizeof line, info) != NULL &&
           sscanf(line, "MemAvailable: %llu kB", &kibibytes) != 1)
        ;
    if (info != NULL)
        fclose(info);
    return kibibytes * 1024;
}
