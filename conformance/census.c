#include "census.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_entry(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static bool lies_in(const char *path, const char *folder)
{
    return folder[0] != '\0' && strncmp(path, folder, strlen(folder)) == 0;
}

/* Entries of /proc/PID/fd or task, less those that link into `except`. */
static int count_entries(int pid, const char *what, const char *except)
{
    char path[PATH_MAX], target[PATH_MAX];
    const struct dirent *entry;
    DIR *directory;
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/%s", pid, what);
    directory = opendir(path);
    if (directory == NULL)
        return -errno;
    while ((entry = readdir(directory)) != NULL) {
        const ssize_t length = readlinkat(dirfd(directory), entry->d_name, target, sizeof target - 1);
        target[length < 0 ? 0 : length] = '\0';
        count += is_entry(entry) && !lies_in(target, except);
    }
    closedir(directory);
    return count;
}

/* Anonymous private memory is the allocator's, whose habits are not judged. */
static int count_mappings(int pid, const char *except)
{
    char path[64], line[PATH_MAX + 256], sharing;
    int count = 0;
    FILE *maps;
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    maps = fopen(path, "re");
    if (maps == NULL)
        return -errno;
    while (fgets(line, sizeof line, maps) != NULL) {
        const char *name = strchr(line, '/');
        if (sscanf(line, "%*s %*c%*c%*c%c", &sharing) == 1 && (sharing == 's' || name != NULL))
            count += name == NULL || !lies_in(name, except);
    }
    fclose(maps);
    return count;
}

int census_take(census *out, int pid, const char *except)
{
    census taken;
    char folder[PATH_MAX];
    if (realpath(except, folder) == NULL)
        snprintf(folder, sizeof folder, "%s", except);
    taken.descriptors = count_entries(pid, "fd", folder);
    taken.threads = count_entries(pid, "task", "");
    taken.mappings = count_mappings(pid, folder);
    if (taken.descriptors < 0 || taken.threads < 0 || taken.mappings < 0)
        return -ESRCH;
    *out = taken;
    return 0;
}

bool census_grew(const census *before, const census *after, char *text, size_t text_size)
{
    snprintf(text, text_size, "%d descriptors (%d before), %d threads (%d), %d mappings (%d)", after->descriptors,
             before->descriptors, after->threads, before->threads, after->mappings, before->mappings);
    return after->descriptors > before->descriptors || after->threads > before->threads ||
           after->mappings > before->mappings;
}

int census_files(const char *folder)
{
    char path[PATH_MAX];
    const struct dirent *entry;
    DIR *directory = opendir(folder);
    int count = 0;
    if (directory == NULL)
        return 0;
    while ((entry = readdir(directory)) != NULL) {
        if (!is_entry(entry))
            continue;
        ++count;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_type == DT_DIR)
            count += census_files(path);
    }
    closedir(directory);
    return count;
}

int census_files_left(stage *self, int before)
{
    const uint64_t deadline_ns = ipcmark_now_ns() + (uint64_t)(2e9 * ipcmark_session_scale(self->session));
    for (;;) {
        const int now = census_files(ipcmark_trial_files(self->trial));
        if (now <= before)
            return 0;
        if (ipcmark_now_ns() >= deadline_ns)
            return now - before;
        if (!ipcmark_wait(self->trial, 10))
            return -EINTR;
    }
}
