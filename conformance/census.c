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

enum { SOCKETS_MOST = 4096 };

static size_t list_sockets(int pid, unsigned long *inodes)
{
    char path[64], target[64];
    const struct dirent *entry;
    size_t count = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *directory = opendir(path);
    if (directory == NULL)
        return 0;
    while (count < SOCKETS_MOST && (entry = readdir(directory)) != NULL) {
        const ssize_t length = readlinkat(dirfd(directory), entry->d_name, target, sizeof target - 1);
        target[length < 0 ? 0 : length] = '\0';
        count += sscanf(target, "socket:[%lu]", &inodes[count]) == 1;
    }
    closedir(directory);
    return count;
}

/* "Num RefCount Protocol Flags Type St Inode Path": an abstract name begins with @. It lives as long as its socket. */
static void count_abstract(census *self, int pid)
{
    unsigned long inodes[SOCKETS_MOST], inode;
    char path[64], line[512], name[sizeof self->socket];
    const size_t count = list_sockets(pid, inodes);
    snprintf(path, sizeof path, "/proc/%d/net/unix", pid);
    FILE *file = count == 0 ? NULL : fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "%*s %*s %*s %*s %*s %*s %lu %127s", &inode, name) != 2 || name[0] != '@')
            continue;
        for (size_t i = 0; i < count; ++i)
            if (inodes[i] == inode) {
                ++self->abstract;
                snprintf(self->socket, sizeof self->socket, "%s", name);
            }
    }
    if (file != NULL)
        fclose(file);
}

int census_take(census *out, int pid, const char *except)
{
    census taken = {0};
    char folder[PATH_MAX];
    if (realpath(except, folder) == NULL)
        snprintf(folder, sizeof folder, "%s", except);
    taken.descriptors = count_entries(pid, "fd", folder);
    taken.threads = count_entries(pid, "task", "");
    taken.mappings = count_mappings(pid, folder);
    if (taken.descriptors < 0 || taken.threads < 0 || taken.mappings < 0)
        return -ESRCH;
    count_abstract(&taken, pid);
    *out = taken;
    return 0;
}

bool census_grew(const census *before, const census *after, char *text, size_t text_size)
{
    const int used =
        snprintf(text, text_size, "%d descriptors (%d before), %d threads (%d), %d mappings (%d)", after->descriptors,
                 before->descriptors, after->threads, before->threads, after->mappings, before->mappings);
    if (after->abstract > before->abstract && used > 0 && (size_t)used < text_size)
        snprintf(text + used, text_size - (size_t)used,
                 "; of the descriptors %d (%d) are sockets with names in no folder, one being %s", after->abstract,
                 before->abstract, after->socket);
    return after->descriptors > before->descriptors || after->threads > before->threads ||
           after->mappings > before->mappings;
}

static int count_files(const char *folder)
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
            count += count_files(path);
    }
    closedir(directory);
    return count;
}

static litter count_litter(stage *self, char *thing)
{
    return (litter){.files = count_files(ipcmark_trial_files(self->trial)),
                    .things = ipcmark_trial_names(self->trial, thing)};
}

litter census_litter(stage *self)
{
    char thing[PATH_MAX];
    return count_litter(self, thing);
}

int census_litter_left(stage *self, const litter *before, char *text, size_t text_size)
{
    const uint64_t deadline_ns = ipcmark_now_ns() + (uint64_t)(2e9 * ipcmark_session_scale(self->session));
    for (;;) {
        char thing[PATH_MAX];
        const litter now = count_litter(self, thing);
        const int files = now.files - before->files, things = now.things - before->things;
        if (files <= 0 && things <= 0)
            return 0;
        if (things <= 0)
            snprintf(text, text_size, "%d files", files);
        else
            snprintf(text, text_size, "%d files, and outside of the directory %d things, one being %s",
                     files > 0 ? files : 0, things, thing);
        if (ipcmark_now_ns() >= deadline_ns)
            return (files > 0 ? files : 0) + (things > 0 ? things : 0);
        if (!ipcmark_wait(self->trial, 10))
            return -EINTR;
    }
}
