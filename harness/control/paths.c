#include "paths.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The place of drivers below the prefix: in a build tree, installed. */
static const char *const driver_places[] = {"lib/ipcmark/drivers", IPCMARK_LIBDIR "/ipcmark/drivers"};

static int join(char *path, size_t size, const char *directory, const char *name)
{
    return (size_t)snprintf(path, size, "%s/%s", directory, name) >= size ? -ENAMETOOLONG : 0;
}

/* Goes up from the running program to the first directory in which `below` exists: from bin/, from libexec/ipcmark/,
 * and from a test program's place in the build tree alike. */
static int find_above(const char *below, char *path, size_t size)
{
    char directory[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", directory, sizeof directory - 1);
    if (length < 0)
        return -errno;
    directory[length] = '\0';
    for (char *slash; (slash = strrchr(directory, '/')) != NULL;) {
        *slash = '\0';
        if (join(path, size, directory, below) == 0 && access(path, F_OK) == 0)
            return 0;
    }
    return -ENOENT;
}

int paths_program(const char *name, char *path, size_t size)
{
    const char *override = getenv("IPCMARK_EXEC_PATH");
    char below[NAME_MAX];
    if (override != NULL && *override != '\0')
        return join(path, size, override, name);
    int error = join(below, sizeof below, "libexec/ipcmark", name);
    return error < 0 ? error : find_above(below, path, size);
}

int paths_drivers(char *path, size_t size)
{
    const char *override = getenv("IPCMARK_DRIVER_PATH");
    int error = -ENOENT;
    if (override != NULL && *override != '\0')
        return (size_t)snprintf(path, size, "%s", override) >= size ? -ENAMETOOLONG : 0;
    for (size_t i = 0; error < 0 && i < sizeof driver_places / sizeof driver_places[0]; ++i)
        error = find_above(driver_places[i], path, size);
    return error;
}

int paths_driver(const char *name, char *path, size_t size)
{
    char directory[PATH_MAX];
    if (strchr(name, '/') != NULL)
        return realpath(name, directory) == NULL                       ? -errno
               : (size_t)snprintf(path, size, "%s", directory) >= size ? -ENAMETOOLONG
                                                                       : 0;
    int error = paths_drivers(directory, sizeof directory);
    if (error < 0)
        return error;
    if ((size_t)snprintf(path, size, "%s/%s.so", directory, name) >= size)
        return -ENAMETOOLONG;
    return access(path, R_OK) < 0 ? -errno : 0;
}
