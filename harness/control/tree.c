#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN_DIRECTORY = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* A case may have taken our rights away from a directory on purpose; it is still ours to remove. */
static DIR *open_directory(int parent, const char *name)
{
    int fd = openat(parent, name, OPEN_DIRECTORY);
    if (fd < 0 && errno == EACCES && fchmodat(parent, name, 0700, 0) == 0)
        fd = openat(parent, name, OPEN_DIRECTORY);
    if (fd < 0)
        return NULL;
    fchmod(fd, 0700);
    DIR *directory = fdopendir(fd);
    if (directory == NULL)
        close(fd);
    return directory;
}

static int remove_at(int parent, const char *name)
{
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -errno;
    DIR *directory = open_directory(parent, name);
    if (directory == NULL)
        return -errno;
    int result = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        int error = is_dots(entry->d_name) ? 0 : remove_at(dirfd(directory), entry->d_name);
        if (error < 0)
            result = error;
    }
    closedir(directory);
    if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT && result == 0)
        result = -errno;
    return result;
}

int tree_remove(const char *path)
{
    return remove_at(AT_FDCWD, path);
}

static int copy_bytes(int from, int to)
{
    char buffer[65536];
    for (ssize_t size; (size = read(from, buffer, sizeof buffer)) != 0;) {
        if (size < 0)
            return -errno;
        for (ssize_t done = 0, step; done < size; done += step)
            if ((step = write(to, buffer + done, (size_t)(size - done))) < 0)
                return -errno;
    }
    return 0;
}

static int copy_file(int from_parent, int to_parent, const char *name)
{
    int from = openat(from_parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), to = -1, result;
    if (from < 0)
        return -errno;
    to = openat(to_parent, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    result = to < 0 ? -errno : copy_bytes(from, to);
    if (to >= 0)
        close(to);
    close(from);
    return result;
}

/* Sockets, FIFOs and links are no evidence and stay behind. */
static int copy_at(int from_parent, const char *from_name, int to_parent, const char *to_name)
{
    if (mkdirat(to_parent, to_name, 0700) < 0)
        return -errno;
    DIR *from = open_directory(from_parent, from_name);
    DIR *to = open_directory(to_parent, to_name);
    int result = from == NULL || to == NULL ? -errno : 0;
    for (struct dirent *entry; from != NULL && to != NULL && result == 0 && (entry = readdir(from)) != NULL;) {
        struct stat status;
        if (is_dots(entry->d_name) || fstatat(dirfd(from), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (S_ISDIR(status.st_mode))
            result = copy_at(dirfd(from), entry->d_name, dirfd(to), entry->d_name);
        else if (S_ISREG(status.st_mode))
            result = copy_file(dirfd(from), dirfd(to), entry->d_name);
    }
    if (from != NULL)
        closedir(from);
    if (to != NULL)
        closedir(to);
    return result;
}

int tree_move(const char *from, const char *to)
{
    if (rename(from, to) == 0)
        return 0;
    if (errno != EXDEV)
        return -errno;
    int result = copy_at(AT_FDCWD, from, AT_FDCWD, to);
    return result < 0 ? result : tree_remove(from);
}

static int list_at(int parent, const char *name, const char *prefix, void found(void *, const char *), void *context)
{
    DIR *directory = open_directory(parent, name);
    if (directory == NULL)
        return errno == ENOENT ? 0 : -errno;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char relative[PATH_MAX];
        struct stat status;
        if (is_dots(entry->d_name) || snprintf(relative, sizeof relative, "%s%s", prefix, entry->d_name) >= PATH_MAX - 1 ||
            fstatat(dirfd(directory), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (!S_ISDIR(status.st_mode)) {
            found(context, relative);
        } else {
            const size_t end = strlen(relative);
            snprintf(relative + end, sizeof relative - end, "/");
            list_at(dirfd(directory), entry->d_name, relative, found, context);
        }
    }
    closedir(directory);
    return 0;
}

int tree_list(const char *path, void found(void *context, const char *relative), void *context)
{
    return list_at(AT_FDCWD, path, "", found, context);
}
