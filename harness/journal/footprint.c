/* What this process holds: private memory, shared memory by file, descriptors. mincore() tells, page by page, how much
 * of a mapping is allocated; fstat() how much of a descriptor's file. */
#include "ipcmark/footprint.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cjson/cJSON.h>

enum { FILES = 4096 };

struct file {
    uint64_t inode;
    unsigned char *pages; /* 1: seen in memory by one of our mappings; a ring is mapped twice in a row */
    size_t page_count;
    double bytes; /* allocated, as far as this process can see */
};

struct files {
    struct file list[FILES];
    size_t count;
};

static struct file *file_of(struct files *files, uint64_t inode)
{
    size_t i = 0;

    while (i < files->count && files->list[i].inode != inode)
        ++i;
    if (i == FILES)
        return NULL;
    if (i == files->count)
        files->list[files->count++] = (struct file){.inode = inode};
    return &files->list[i];
}

static void free_files(struct files *files)
{
    for (size_t i = 0; files != NULL && i < files->count; ++i)
        free(files->list[i].pages);
    free(files);
}

static int make_room(struct file *file, size_t page_count)
{
    unsigned char *pages;

    if (page_count <= file->page_count)
        return 0;
    pages = realloc(file->pages, page_count);
    if (pages == NULL)
        return -ENOMEM;
    memset(pages + file->page_count, 0, page_count - file->page_count);
    file->pages = pages;
    file->page_count = page_count;
    return 0;
}

/* A mapping of the file from its page `first` on. */
static int add_pages(struct file *file, void *start, size_t first, size_t count, size_t page)
{
    unsigned char *resident = malloc(count);
    int result = resident == NULL ? -ENOMEM : make_room(file, first + count);

    if (result == 0 && mincore(start, count * page, resident) != 0)
        result = -errno;
    for (size_t i = 0; i < count && result == 0 && file->pages != NULL; ++i)
        if ((resident[i] & 1) != 0 && !file->pages[first + i]) {
            file->pages[first + i] = 1;
            file->bytes += (double)page;
        }
    free(resident);
    return result;
}

static bool is_shared_memory(const char *name)
{
    return strstr(name, "/memfd:") != NULL || strncmp(name, "/dev/shm/", 9) == 0 || strncmp(name, "/dev/zero", 9) == 0;
}

static int add_mappings(struct files *files)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    FILE *maps = fopen("/proc/self/maps", "re");
    char *line = NULL;
    size_t room = 0;
    int result = 0;

    if (maps == NULL)
        return -errno;
    while (result == 0 && getline(&line, &room, maps) > 0) {
        void *start, *end;
        uint64_t offset, inode;
        int name = 0;
        struct file *file;
        if (sscanf(line, "%p-%p %*s %" SCNx64 " %*s %" SCNu64 " %n", &start, &end, &offset, &inode, &name) != 4 ||
            inode == 0 || !is_shared_memory(line + name))
            continue;
        file = file_of(files, inode);
        result = file == NULL
                     ? -ENOMEM
                     : add_pages(file, start, offset / page, (size_t)((char *)end - (char *)start) / page, page);
    }
    free(line);
    fclose(maps);
    return result;
}

/* Descriptors of shared memory, which may be mapped in part or not at all. Returns how many descriptors there are. */
static int add_descriptors(struct files *files)
{
    DIR *directory = opendir("/proc/self/fd");
    const struct dirent *entry;
    int count = -1; /* the one that reads */

    if (directory == NULL)
        return -errno;
    while ((entry = readdir(directory)) != NULL) {
        char target[256] = "";
        struct stat status;
        if (entry->d_name[0] == '.')
            continue;
        ++count;
        if (readlinkat(dirfd(directory), entry->d_name, target, sizeof target - 1) > 0 && is_shared_memory(target) &&
            fstat(atoi(entry->d_name), &status) == 0) {
            struct file *file = file_of(files, status.st_ino);
            if (file != NULL && (double)status.st_blocks * 512 > file->bytes)
                file->bytes = (double)status.st_blocks * 512;
        }
    }
    closedir(directory);
    return count;
}

/* Memory of its own, and its share of program and libraries; < 0: the kernel does not say. */
static double private_bytes(void)
{
    FILE *rollup = fopen("/proc/self/smaps_rollup", "re");
    char *line = NULL;
    size_t room = 0;
    double bytes = 0, kilobytes;
    int found = 0;

    if (rollup == NULL)
        return -1;
    while (getline(&line, &room, rollup) > 0)
        if (sscanf(line, "Pss_Anon: %lf kB", &kilobytes) == 1 || sscanf(line, "Pss_File: %lf kB", &kilobytes) == 1)
            bytes += kilobytes * 1024, ++found;
    free(line);
    fclose(rollup);
    return found == 2 ? bytes : -1;
}

int ipcmark_footprint(struct cJSON *reply)
{
    struct files *files = calloc(1, sizeof *files);
    double own = private_bytes(); /* before the rest of this takes memory */
    int descriptors = files == NULL ? -ENOMEM : add_mappings(files);
    cJSON *list;

    if (descriptors == 0)
        descriptors = add_descriptors(files);
    if (descriptors >= 0 && own < 0)
        descriptors = -ENOSYS; /* no Pss_Anon in smaps_rollup */
    if (descriptors < 0)
        goto out;
    cJSON_AddNumberToObject(reply, "private_bytes", own);
    cJSON_AddNumberToObject(reply, "descriptors", descriptors);
    list = cJSON_AddArrayToObject(reply, "shared");
    for (size_t i = 0; i < files->count; ++i) {
        const double pair[] = {(double)files->list[i].inode, files->list[i].bytes};
        cJSON_AddItemToArray(list, cJSON_CreateDoubleArray(pair, 2));
    }
out:
    free_files(files);
    return descriptors < 0 ? descriptors : 0;
}
