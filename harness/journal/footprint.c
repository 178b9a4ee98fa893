/* What this process holds: private memory, shared memory by file, descriptors. How much of a file is allocated stat()
 * tells, of a descriptor or, with the right to, of a mapping; without it mincore() does, page by page, but of pages
 * that nobody has touched yet. */
#include "ipcmark/footprint.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cjson/cJSON.h>

enum { FILES = 4096 };

enum { NAME_BYTES = 64 };

struct file {
    char name[NAME_BYTES]; /* device and inode: the same in all processes, and of no other file */
    unsigned char *pages;  /* 1: seen in memory by one of our mappings; a ring is mapped twice in a row */
    size_t page_count;
    double bytes; /* allocated, as far as this process can see */
};

struct files {
    struct file list[FILES];
    size_t count;
};

static struct file *file_of(struct files *files, const char *name)
{
    size_t i = 0;

    while (i < files->count && strcmp(files->list[i].name, name) != 0)
        ++i;
    if (i == FILES)
        return NULL;
    if (i == files->count)
        snprintf(files->list[files->count++].name, NAME_BYTES, "%s", name);
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

/* The devices of file systems that are in memory. */
struct devices {
    dev_t *list;
    size_t count;
};

static int add_device(struct devices *devices, dev_t device)
{
    dev_t *list = realloc(devices->list, (devices->count + 1) * sizeof *list);

    if (list == NULL)
        return -ENOMEM;
    list[devices->count++] = device;
    devices->list = list;
    return 0;
}

static int find_devices(struct devices *out)
{
    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    char *line = NULL;
    size_t room = 0;
    int result = 0;

    if (mounts == NULL)
        return -errno;
    while (result == 0 && getline(&line, &room, mounts) > 0) {
        unsigned major_number, minor_number;
        if ((strstr(line, " - tmpfs ") != NULL || strstr(line, " - hugetlbfs ") != NULL) &&
            sscanf(line, "%*d %*d %u:%u", &major_number, &minor_number) == 2)
            result = add_device(out, makedev(major_number, minor_number));
    }
    free(line);
    fclose(mounts);
    return result;
}

static bool is_sysv(const char *name)
{
    return strncmp(name, "/SYSV", 5) == 0;
}

/* A program or a library may lie in such a file system, too; it is not mapped shared. What has no file has no mount. */
static bool is_shared_memory(const struct devices *devices, const char *name, dev_t device, char sharing)
{
    static const char *const nameless[] = {"/memfd:", "/SYSV", "/dev/zero", "/anon_hugepage"};

    for (size_t i = 0; i < sizeof nameless / sizeof nameless[0]; ++i)
        if (strncmp(name, nameless[i], strlen(nameless[i])) == 0)
            return true;
    for (size_t i = 0; i < devices->count && sharing == 's'; ++i)
        if (devices->list[i] == device)
            return true;
    return false;
}

/* The inode of a segment of System V is its id, which a file of the same device may have as well. */
static void make_name(char name[NAME_BYTES], dev_t device, uint64_t inode, bool sysv)
{
    snprintf(name, NAME_BYTES, "%x:%x:%" PRIu64 "%s", major(device), minor(device), inode, sysv ? ":sysv" : "");
}

static void count_blocks(struct file *file, const struct stat *status)
{
    if ((double)status->st_blocks * 512 > file->bytes)
        file->bytes = (double)status->st_blocks * 512;
}

/* -1: not without CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE. */
static int stat_mapping(const void *start, const void *end, struct stat *out)
{
    char path[80];

    snprintf(path, sizeof path, "/proc/self/map_files/%lx-%lx", (unsigned long)start, (unsigned long)end);
    return stat(path, out);
}

static int add_mapping(struct files *files, const struct devices *devices, const char *line)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char name[NAME_BYTES], sharing;
    unsigned major_number, minor_number;
    uint64_t offset, inode;
    void *start, *end;
    struct stat status;
    struct file *file;
    int at = 0;

    if (sscanf(line, "%p-%p %*3c%c %" SCNx64 " %x:%x %" SCNu64 " %n", &start, &end, &sharing, &offset, &major_number,
               &minor_number, &inode, &at) != 7 ||
        inode == 0 || !is_shared_memory(devices, line + at, makedev(major_number, minor_number), sharing))
        return 0;
    make_name(name, makedev(major_number, minor_number), inode, is_sysv(line + at));
    file = file_of(files, name);
    if (file == NULL)
        return -ENOMEM;
    if (stat_mapping(start, end, &status) == 0) {
        count_blocks(file, &status);
        return 0;
    }
    return add_pages(file, start, offset / page, (size_t)((char *)end - (char *)start) / page, page);
}

static int add_mappings(struct files *files)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    struct devices devices = {0};
    char *line = NULL;
    size_t room = 0;
    int result = maps == NULL ? -errno : find_devices(&devices);

    while (result == 0 && getline(&line, &room, maps) > 0)
        result = add_mapping(files, &devices, line);
    free(devices.list);
    free(line);
    if (maps != NULL)
        fclose(maps);
    return result;
}

/* The file of a descriptor, if it is in memory: it may be mapped in part or not at all. Asked for by its path: the
 * descriptor is another thread's, who may open or close it meanwhile. */
static int add_file(struct files *files, const char *fd)
{
    char name[NAME_BYTES], path[80];
    struct statfs system;
    struct stat status;
    struct file *file;

    snprintf(path, sizeof path, "/proc/self/fd/%s", fd);
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode) || statfs(path, &system) != 0 ||
        (system.f_type != TMPFS_MAGIC && system.f_type != HUGETLBFS_MAGIC))
        return 0;
    make_name(name, status.st_dev, status.st_ino, false);
    file = file_of(files, name);
    if (file == NULL)
        return -ENOMEM;
    count_blocks(file, &status);
    return 0;
}

/* Returns how many descriptors there are. */
static int add_descriptors(struct files *files)
{
    DIR *directory = opendir("/proc/self/fd");
    const struct dirent *entry;
    int count = -1 /* the one that reads */, result = 0;

    if (directory == NULL)
        return -errno;
    while (result == 0 && (entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        ++count;
        result = add_file(files, entry->d_name);
    }
    closedir(directory);
    return result < 0 ? result : count;
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
        cJSON *pair = cJSON_CreateArray();
        cJSON_AddItemToArray(pair, cJSON_CreateString(files->list[i].name));
        cJSON_AddItemToArray(pair, cJSON_CreateNumber(files->list[i].bytes));
        cJSON_AddItemToArray(list, pair);
    }
out:
    free_files(files);
    return descriptors < 0 ? descriptors : 0;
}
