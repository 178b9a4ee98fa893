#include "../os.h"
#include "descriptor.h"
#include "limit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CREATE_TRIES = 16 };

static int keep_open(int directory, const char *name, int flags)
{
    descriptor_hold();
    return descriptor_keep(openat(directory, name, flags | O_CLOEXEC, 0600));
}

static int make_parents(char *path)
{
    for (char *at = path + 1; *at != '\0'; ++at) {
        if (*at != '/')
            continue;
        *at = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return -errno;
        *at = '/';
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

int os_directory_open(const char *path)
{
    const int flags = O_RDONLY | O_DIRECTORY;
    int fd = keep_open(AT_FDCWD, path, flags);
    if (fd == -ENOENT && *path != '\0') {
        char *copy = strdup(path);
        int error = copy == NULL ? -ENOMEM : make_parents(copy);
        free(copy);
        if (error != 0)
            return error;
        fd = keep_open(AT_FDCWD, path, flags);
    }
    return fd;
}

int os_directory_reopen(const char *path)
{
    return keep_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
}

/* A descriptor of its own: the position of a shared one would be shared too. */
int os_list_open(int directory, DIR **out)
{
    int error, fd = keep_open(directory, ".", O_RDONLY | O_DIRECTORY);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    if (list != NULL) {
        *out = list;
        return 0;
    }
    error = fd < 0 ? fd : -errno;
    os_close(fd);
    return error;
}

void os_list_close(DIR *list)
{
    descriptor_hold();
    descriptor_forget(dirfd(list));
    closedir(list);
    descriptor_release();
}

char *os_directory_path(int directory)
{
    char self[64], path[PATH_MAX];
    ssize_t length;
    snprintf(self, sizeof self, "/proc/self/fd/%d", directory);
    length = readlink(self, path, sizeof path);
    return length <= 0 || length == (ssize_t)sizeof path ? NULL : strndup(path, (size_t)length);
}

static int write_whole(int fd, const void *text, size_t size)
{
    ssize_t wrote;
    if (limit_forbids_file(size))
        return -EFBIG;
    wrote = pwrite(fd, text, size, 0);
    return wrote < 0 ? -errno : (size_t)wrote == size ? 0 : -ENOSPC;
}

static int complete(int fd, const void *text, size_t size, bool for_all)
{
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || (for_all && fchmod(fd, 0644) != 0))
        return -errno;
    return write_whole(fd, text, size);
}

/* Where a file cannot be made without a name, it is made with one, and locked before it has contents: others take an
 * empty file for nobody's and leave it alone. But they look at it, and whoever is stopped while it does so keeps the
 * lock: such a file is given up for another. */
static int create_named(int directory, const char *name, const void *text, size_t size, bool for_all)
{
    int error = -EWOULDBLOCK;
    for (int tries = 0; tries < CREATE_TRIES && error == -EWOULDBLOCK; ++tries) {
        int fd = keep_open(directory, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
        if (fd < 0)
            return fd;
        error = complete(fd, text, size, for_all);
        if (error == 0)
            return fd;
        unlinkat(directory, name, 0);
        os_close(fd);
    }
    return error;
}

int os_file_create_locked(int directory, const char *name, const void *text, size_t size, bool for_all)
{
    char self[64];
    int error;
    int fd = keep_open(directory, ".", O_RDWR | O_TMPFILE);
    if (fd < 0)
        return fd == -EOPNOTSUPP || fd == -EISDIR || fd == -ENOENT ? create_named(directory, name, text, size, for_all)
                                                                   : fd;
    error = complete(fd, text, size, for_all);
    if (error != 0)
        goto fail;
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    if (linkat(AT_FDCWD, self, directory, name, AT_SYMLINK_FOLLOW) == 0)
        return fd;
    error = -errno;
fail:
    os_close(fd);
    return error;
}

/* By its name: a change through the descriptor that it was made with, nameless, is told to watchers under no name of
 * ours. */
int os_file_rewrite(int directory, const char *name, const void *text, size_t size)
{
    int error, fd = keep_open(directory, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return fd;
    error = write_whole(fd, text, size);
    os_close(fd);
    return error;
}

int os_file_probe(int directory, const char *name, int *out)
{
    struct stat status;
    int error;
    /* non-blocking, or a FIFO of that name would hold us */
    int fd = keep_open(directory, name, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY);
    if (fd == -EACCES) /* another user's: it can be read and connected to, not reclaimed */
        fd = keep_open(directory, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY);
    if (fd < 0)
        return fd;
    error = fstat(fd, &status) != 0 ? -errno : S_ISREG(status.st_mode) ? 0 : -EINVAL;
    if (error != 0) {
        os_close(fd);
        return error;
    }
    *out = fd;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    return 1; /* locked; any other error must not be taken for a dead owner either */
}

int os_watch_open(int directory)
{
    char self[64];
    int error;
    int fd;
    descriptor_hold();
    fd = descriptor_keep(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (fd < 0)
        return fd;
    snprintf(self, sizeof self, "/proc/self/fd/%d", directory);
    if (inotify_add_watch(fd, self, IN_CREATE | IN_MOVED_TO | IN_MODIFY | IN_ONLYDIR) >= 0)
        return fd;
    error = -errno;
    os_close(fd);
    return error;
}

bool os_watch_drain(int fd, bool (*matters)(const char *name))
{
    char buffer[4096] __attribute__((aligned(8)));
    bool changed = false;
    ssize_t got;
    while ((got = read(fd, buffer, sizeof buffer)) > 0) {
        const struct inotify_event *event;
        for (ssize_t at = 0; at < got; at += (ssize_t)(sizeof *event + event->len)) {
            event = (const struct inotify_event *)(const void *)(buffer + at);
            changed |= (event->mask & IN_Q_OVERFLOW) != 0 || (event->len > 0 && matters(event->name));
        }
    }
    return changed;
}
