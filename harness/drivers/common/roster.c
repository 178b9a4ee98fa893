#include "roster.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fcntl.h>

enum { MAGIC = 0x72706969 };

/* What is in a file. */
struct advertisement {
    uint32_t magic;
    char id[ENDPOINT_NAME], channel[ENDPOINT_NAME], address[ROSTER_ADDRESS];
};

struct member {
    struct member *next;
    char name[DIRECTORY_NAME];
    bool seen;
    void *what;
};

struct roster {
    struct endpoint endpoint;
    struct roster_kind kind;
    void *context;
    struct directory directory;
    int file, bell, watch;
    char name[DIRECTORY_NAME];
    bool is_running;
    pthread_t thread;
    struct member *members; /* the thread's own, while it runs */
};

/* The file is another process's, and not trusted. */
static int advertisement_read(int fd, struct advertisement *out)
{
    const ssize_t got = pread(fd, out, sizeof *out, 0);
    if (got < 0)
        return -errno;
    if (got != (ssize_t)sizeof *out || out->magic != MAGIC || memchr(out->id, '\0', sizeof out->id) == NULL ||
        memchr(out->channel, '\0', sizeof out->channel) == NULL ||
        memchr(out->address, '\0', sizeof out->address) == NULL)
        return -EINVAL;
    return 0;
}

static void clear_away(void *context, int fd)
{
    const struct roster *roster = context;
    struct advertisement left;
    if (advertisement_read(fd, &left) == 0)
        roster->kind.stale(left.address);
}

static int advertise(struct roster *roster, const char *address)
{
    struct advertisement ours = {.magic = MAGIC};
    char stem[2 * IDENTITY_TEXT];
    snprintf(stem, sizeof stem, "%s-%s", roster->endpoint.digest, identity_process());
    roster->file = directory_create(&roster->directory, stem, "new", O_RDWR, roster->name);
    if (roster->file < 0)
        return roster->file;
    memcpy(ours.id, roster->endpoint.id, sizeof ours.id);
    memcpy(ours.channel, roster->endpoint.channel, sizeof ours.channel);
    snprintf(ours.address, sizeof ours.address, "%s", address);
    const ssize_t written = write(roster->file, &ours, sizeof ours);
    return written == (ssize_t)sizeof ours ? 0 : written < 0 ? -errno : -ENOSPC;
}

int roster_open(struct roster **out, const struct endpoint *endpoint, const char *directory,
                const struct roster_kind *kind, const char *address, void *context)
{
    struct roster *roster = calloc(1, sizeof *roster);
    if (roster == NULL)
        return -ENOMEM;
    roster->endpoint = *endpoint;
    roster->kind = *kind;
    roster->context = context;
    roster->file = roster->watch = roster->directory.fd = -1;
    int result = roster->bell = bell_open();
    if (result >= 0)
        result = directory_open(&roster->directory, directory, kind->driver, S_IFREG);
    if (result >= 0 && kind->stale != NULL) {
        roster->directory.stale = clear_away;
        roster->directory.context = roster;
    }
    if (result >= 0) {
        directory_sweep(&roster->directory); /* what the dead have left may be what we lack */
        result = advertise(roster, address);
    }
    if (result < 0) {
        roster_close(roster);
        return result;
    }
    *out = roster;
    return 0;
}

static struct member *find(struct roster *roster, const char *name)
{
    for (struct member *member = roster->members; member != NULL; member = member->next)
        if (strcmp(member->name, name) == 0)
            return member;
    return NULL;
}

static void meet(struct roster *roster, const char *name, const struct advertisement *theirs)
{
    struct member *member = calloc(1, sizeof *member);
    if (member == NULL || roster->kind.joined(roster->context, theirs->id, theirs->address, &member->what) < 0) {
        free(member);
        return; /* the next scan tries again */
    }
    snprintf(member->name, sizeof member->name, "%s", name);
    member->seen = true;
    member->next = roster->members;
    roster->members = member;
}

static void look_at(void *context, const char *name)
{
    struct roster *roster = context;
    struct advertisement theirs;
    struct member *known = find(roster, name);
    /* DRIVER-CHANNEL-PROCESS-HEX */
    const char *process = name + strlen(roster->kind.driver) + 1 + IDENTITY_TEXT;
    if (known != NULL)
        known->seen = true;
    if (known != NULL || strncmp(process, identity_process(), IDENTITY_TEXT - 1) == 0)
        return;
    const int fd = directory_open_live(&roster->directory, name, O_RDONLY);
    if (fd < 0)
        return;
    /* The name holds a digest of the channel: two channels may have the same. */
    if (advertisement_read(fd, &theirs) == 0 && strcmp(theirs.channel, roster->endpoint.channel) == 0)
        meet(roster, name, &theirs);
    close(fd);
}

static void scan(struct roster *roster)
{
    struct member **at = &roster->members;
    for (struct member *member = roster->members; member != NULL; member = member->next)
        member->seen = false;
    if (directory_scan(&roster->directory, roster->endpoint.digest, roster->kind.is_publisher ? "sub" : "pub", look_at,
                       roster) < 0)
        return; /* for want of descriptors, say: who was there may be there still */
    while (*at != NULL) {
        struct member *member = *at;
        if (member->seen) {
            at = &member->next;
            continue;
        }
        *at = member->next;
        roster->kind.left(roster->context, member->what);
        free(member);
    }
}

static void watch_clear(int watch)
{
    char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    while (read(watch, events, sizeof events) > 0)
        ;
}

static void *run(void *context)
{
    struct roster *roster = context;
    struct pollfd waits[] = {{.fd = roster->bell, .events = POLLIN}, {.fd = roster->watch, .events = POLLIN}};
    long long due = 0;
    for (;;) {
        const long long now = clock_ms();
        if (now >= due) {
            directory_sweep(&roster->directory);
            due = now + roster->endpoint.scan_interval_ms;
        }
        watch_clear(roster->watch);
        if (roster->kind.joined != NULL)
            scan(roster);
        const long long left = due - clock_ms();
        poll(waits, 2, left > 0 ? (int)left : 0);
        if (waits[0].revents != 0)
            return NULL;
    }
}

int roster_start(struct roster *roster)
{
    if (roster->kind.joined != NULL)
        roster->watch = directory_watch(&roster->directory, true); /* without it the slow scans find everybody */
    int result = directory_rename(&roster->directory, roster->name, roster->kind.is_publisher ? "pub" : "sub");
    if (result == 0)
        result = thread_start(&roster->thread, run, roster);
    roster->is_running = result == 0;
    return result;
}

void roster_close(struct roster *roster)
{
    if (roster == NULL)
        return;
    if (roster->file >= 0) {
        directory_remove(&roster->directory, roster->name);
        close(roster->file);
    }
    if (roster->is_running) {
        bell_ring(roster->bell);
        pthread_join(roster->thread, NULL);
    }
    for (struct member *member; (member = roster->members) != NULL;) {
        roster->members = member->next;
        roster->kind.left(roster->context, member->what);
        free(member);
    }
    directory_close(&roster->directory);
    if (roster->watch >= 0)
        close(roster->watch);
    if (roster->bell >= 0)
        close(roster->bell);
    free(roster);
}
