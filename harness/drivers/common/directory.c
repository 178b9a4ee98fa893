#include "directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static char process_identity[IDENTITY_TEXT];

void identity_make(char text[IDENTITY_TEXT])
{
    uint64_t bits = 0;
    while (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits)
        ;
    snprintf(text, IDENTITY_TEXT, "%016" PRIx64, bits);
}

static void make_process_identity(void)
{
    identity_make(process_identity);
}

const char *identity_process(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_process_identity);
    return process_identity;
}

int directory_open(struct directory *out, const char *path, const char *driver, mode_t type)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    *out = (struct directory){.fd = fd, .driver = driver, .type = type};
    return 0;
}

void directory_close(struct directory *directory)
{
    if (directory->fd < 0)
        return;
    directory_sweep(directory);
    close(directory->fd);
    directory->fd = -1;
}

/* Makes the file and takes its lock. -EAGAIN: a cleaner came in between; try another name. */
static int create_locked(const struct directory *directory, const char *name, int flags)
{
    struct stat status;
    int fd, result = 0;
    if (directory->type == S_IFIFO && mkfifoat(directory->fd, name, 0600) < 0)
        return errno == EEXIST ? -EAGAIN : -errno;
    flags |= O_CLOEXEC | O_NOFOLLOW | (directory->type == S_IFIFO ? O_NONBLOCK : O_CREAT | O_EXCL);
    fd = openat(directory->fd, name, flags, 0600);
    if (fd < 0) {
        result = errno == ENOENT || errno == EEXIST ? -EAGAIN : -errno;
        if (directory->type == S_IFIFO)
            directory_remove(directory, name);
        return result;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        result = errno == EWOULDBLOCK ? -EAGAIN : -errno;
    else if (fstat(fd, &status) < 0 || status.st_nlink == 0)
        result = -EAGAIN;
    if (result < 0) {
        directory_remove(directory, name);
        close(fd);
        return result;
    }
    return fd;
}

int directory_create(const struct directory *directory, const char *stem, const char *kind, int flags, char *name)
{
    int result = -EAGAIN;
    for (int attempt = 0; attempt < 100 && result == -EAGAIN; ++attempt) {
        char identity[IDENTITY_TEXT];
        identity_make(identity);
        snprintf(name, DIRECTORY_NAME, "%s-%s%s%s.%s", directory->driver, stem, *stem ? "-" : "", identity, kind);
        result = create_locked(directory, name, flags);
    }
    return result;
}

int directory_rename(const struct directory *directory, char *name, const char *kind)
{
    char renamed[DIRECTORY_NAME];
    int stem = (int)strcspn(name, ".");
    snprintf(renamed, sizeof renamed, "%.*s.%s", stem, name, kind);
    if (renameat(directory->fd, name, directory->fd, renamed) < 0)
        return -errno;
    memcpy(name, renamed, sizeof renamed);
    return 0;
}

void directory_remove(const struct directory *directory, const char *name)
{
    unlinkat(directory->fd, name, 0);
}

int directory_open_live(const struct directory *directory, const char *name, int flags)
{
    struct stat status;
    /* O_NONBLOCK: a FIFO under a regular file's name must not make us wait for its other end. */
    int result, fd = openat(directory->fd, name, flags | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENXIO ? -ENOENT : -errno; /* ENXIO: a FIFO that nobody reads; a sweep removes it */
    if (fstat(fd, &status) < 0 || (status.st_mode & S_IFMT) != directory->type)
        result = -EINVAL;
    else if (flock(fd, LOCK_SH | LOCK_NB) < 0)
        result = errno == EWOULDBLOCK ? fd : -errno;
    else {
        /* Nobody holds it: its owner died, or is about to lock it and will notice that it is gone. */
        if (status.st_uid == geteuid()) {
            if (directory->stale != NULL)
                directory->stale(directory->context, fd);
            directory_remove(directory, name);
        }
        result = -ENOENT;
    }
    if (result < 0)
        close(fd);
    return result;
}

static bool ends_with(const char *name, const char *kind)
{
    size_t length = strlen(name), tail = strlen(kind);
    return length > tail && name[length - tail - 1] == '.' && strcmp(name + length - tail, kind) == 0;
}

static bool is_ours(const struct directory *directory, const char *name)
{
    size_t prefix = strlen(directory->driver);
    if (strncmp(name, directory->driver, prefix) != 0 || name[prefix] != '-' || strlen(name) >= DIRECTORY_NAME)
        return false;
    name += prefix;
    name += strspn(name, "-0123456789abcdef");
    return strcmp(name, ".new") == 0 || strcmp(name, ".sub") == 0 || strcmp(name, ".pub") == 0 ||
           strcmp(name, ".data") == 0 || strcmp(name, ".back") == 0;
}

static int visit_ours(const struct directory *directory, directory_visit_fn *visit, void *context)
{
    int fd = openat(directory->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    if (entries == NULL) {
        const int error = errno;
        if (fd >= 0)
            close(fd);
        return -error;
    }
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;)
        if (is_ours(directory, entry->d_name))
            visit(context, entry->d_name);
    closedir(entries);
    return 0;
}

struct filter {
    char prefix[DIRECTORY_NAME];
    const char *kind;
    directory_visit_fn *visit;
    void *context;
};

static void visit_matching(void *context, const char *name)
{
    const struct filter *filter = context;
    if (strncmp(name, filter->prefix, strlen(filter->prefix)) == 0 && ends_with(name, filter->kind))
        filter->visit(filter->context, name);
}

int directory_scan(const struct directory *directory, const char *stem, const char *kind, directory_visit_fn *visit,
                   void *context)
{
    struct filter filter = {.kind = kind, .visit = visit, .context = context};
    snprintf(filter.prefix, sizeof filter.prefix, "%s-%s-", directory->driver, stem);
    return visit_ours(directory, visit_matching, &filter);
}

static void remove_if_stale(void *context, const char *name)
{
    const struct directory *directory = context;
    int fd = directory_open_live(directory, name, O_RDONLY);
    if (fd >= 0)
        close(fd);
}

void directory_sweep(const struct directory *directory)
{
    struct directory copy = *directory;
    visit_ours(directory, remove_if_stale, &copy);
}

int directory_watch(const struct directory *directory, bool removals)
{
    char path[32];
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0)
        return -errno;
    snprintf(path, sizeof path, "/proc/self/fd/%d", directory->fd);
    if (inotify_add_watch(fd, path, IN_MOVED_TO | (removals ? IN_DELETE : 0)) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}
