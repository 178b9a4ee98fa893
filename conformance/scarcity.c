#include "ordinary.h"
#include "surroundings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { PING_MS = 200, ENCLOSURE_FILES = 4096 };

static const size_t sizes[] = {100, 64, 4000, 256};
static const ipcmark_publish_options some = {
    .count = 200, .sizes = sizes, .sizes_count = COUNT_OF(sizes), .overwrite = true};

static bool passes(stage *self)
{
    return stage_publish_all(self, &some) && stage_drain(self);
}

/* What was not granted while it was hard. Where everything was, nobody has shown how it takes a refusal. */
typedef struct {
    unsigned opens;
    uint64_t publishes;
} refusals;

static bool try_open(stage *self, actor *who, refusals *refused)
{
    const bool answered = ordinary_try_open(self, who);
    refused->opens += answered && !who->open;
    return answered;
}

/* The last step of a play: what was seen is judged, but nobody passes by it who needs nothing of what there was not. */
static bool was_refused(stage *self, const refusals *refused, const char *what)
{
    stage_log(self, "%u opens and %llu publishes were refused for want of %s", refused->opens,
              (unsigned long long)refused->publishes, what);
    return refused->opens + refused->publishes > 0 ||
           stage_skip(self, "nothing that it did was refused for want of %s: it got along without", what);
}

static uint64_t received_by(stage *self, const actor *subscriber)
{
    ipcmark_call *call = ipcmark_stats(self->trial, subscriber->endpoint, 0, 0, false);
    return ipcmark_await(call) == IPCMARK_DONE ? ipcmark_reply_count(call, "received") : 0;
}

/* From publisher 1 to subscriber 1, which were connected when there was enough of everything. No drain: if they are so
 * no longer, the rest is not owed, and the checker says what was. But there is time for it to arrive while it is hard.
 */
static bool pair_passes(stage *self, const ipcmark_publish_options *options, bool stopped, refusals *refused)
{
    actor *const publisher = &self->publishers[0], *const subscriber = &self->subscribers[0];
    const uint64_t before = received_by(self, subscriber);
    ipcmark_call *call;
    if ((stopped && !stage_pause(self, subscriber)) || !stage_publish_begin(self, publisher, options))
        return false;
    call = publisher->traffic;
    if (stopped && (!ipcmark_wait(self->trial, 300) || !stage_resume(self, subscriber)))
        return false;
    if (!stage_publish_end(self, publisher) || publisher->participant == NULL)
        return false;
    refused->publishes += ipcmark_reply_count(call, "failed") + ipcmark_reply_count(call, "unknown");
    for (unsigned patience = 0; patience < 50; ++patience) {
        if (!ipcmark_participant_alive(subscriber->participant))
            return false;
        if (received_by(self, subscriber) >= before + ipcmark_reply_count(call, "published"))
            return true;
        if (!ipcmark_wait(self->trial, 20))
            return false;
    }
    stage_log(self, "%s has not received everything yet", subscriber->name);
    return true;
}

/* A pair that is given up for want of something is not one that was lost without a reason; but it must say so. */
static bool declare(stage *self, bool begins)
{
    actor *who;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (who->participant != NULL && who->host == NULL)
            ipcmark_overload(who->participant, begins);
    return true;
}

/* Those that could not open before can now, and everyone meets everyone. */
static bool open_the_others(stage *self)
{
    actor *who;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (!who->open && !stage_open(self, who))
            return false;
    return stage_settle(self);
}

/* ---- room ---------------------------------------------------------------------------------------------------------
 */

/* A file system that only the participants see: it goes with the last of them, however they end. */
typedef struct {
    const char *where;
    ordinary how;
    const char *last; /* of both wraps: takes the privileges away that made it */
    char first[2 * ORDINARY_WRAP], others[2 * ORDINARY_WRAP]; /* wraps of who makes it and of those who enter */
} enclosure;

static const char *user_namespace(const char *option)
{
    return geteuid() == 0 ? "" : option;
}

static bool is_inside(const char *path, const char *folder)
{
    const size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && path[length] == '/';
}

/* The suite's own folders may be where it is mounted: then they are brought back. Paths are told by the environment:
 * what is in them must not be read as part of a command. */
static bool enclosure_make(stage *self, enclosure *out, const char *where)
{
    if (!ordinary_make(self, &out->how))
        return false;
    out->last = geteuid() == 0 ? out->how.wrap : "setpriv --inh-caps=-all --bounding-set=-all";
    out->where = where;
    if (setenv("IPCMARK_TRIAL", ipcmark_trial_directory(self->trial), 1) < 0 ||
        setenv("IPCMARK_ENCLOSURE", where, 1) < 0)
        return stage_object(self, IPCMARK_CLASS_NONE, "paths cannot be handed on: %s", strerror(errno));
    snprintf(out->first, sizeof out->first,
             "unshare %s -m sh -c 'cd \"$IPCMARK_TRIAL\" && mount -t tmpfs -o size=64m,nr_inodes=4096,mode=1777 none "
             "\"$IPCMARK_ENCLOSURE\"%s && exec \"$0\" \"$@\"' %s",
             user_namespace("-r"),
             is_inside(ipcmark_trial_directory(self->trial), where)
                 ? " && mkdir -p \"$PWD\" && mount -c --bind . \"$PWD\" && cd /"
                 : "",
             out->last);
    if (!ordinary_starts(self, out->first))
        return ordinary_skip(self, "no file system can be mounted here, for which root or user namespaces are needed");
    return true;
}

/* Whether it sees other file systems than we do. */
static bool is_elsewhere(const actor *who)
{
    char path[64], own[64] = "", its[64] = "";
    snprintf(path, sizeof path, "/proc/%d/ns/mnt", ipcmark_participant_pid(who->participant));
    return readlink("/proc/self/ns/mnt", own, sizeof own - 1) > 0 && readlink(path, its, sizeof its - 1) > 0 &&
           strcmp(own, its) != 0;
}

static bool enclosure_cast(stage *self, enclosure *in, unsigned publishers, unsigned subscribers)
{
    actor *who;
    ordinary_cast(self, &in->how, publishers, subscribers);
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i) {
        who->wrap = i == 0 ? in->first : in->others;
        who->ping_interval_ms = PING_MS;
        if (!stage_start(self, who))
            return false;
        if (i == 0 && !is_elsewhere(who))
            return stage_object(self, IPCMARK_CLASS_NONE,
                                "%s is not behind its wrap, and what is meant for it would happen to the machine: an "
                                "agent's command is to end in `exec PROGRAM`",
                                who->name);
        if (i == 0)
            snprintf(in->others, sizeof in->others, "nsenter -t %d %s -m %s", ipcmark_participant_pid(who->participant),
                     user_namespace("-U --preserve-credentials"), in->last);
    }
    return true;
}

/* Its files as seen from outside, through a process that lives in it. Asked for anew each time: once that one is dead,
 * its number may be another's, and what is meant for it would happen to the machine. */
static bool enclosure_path(stage *self, const enclosure *in, const char *name, char *out, size_t size)
{
    const actor *const inside = &self->publishers[0];
    if (inside->participant == NULL || !ipcmark_participant_alive(inside->participant) || !is_elsewhere(inside))
        return false; /* it has crashed, and the history says so */
    snprintf(out, size, "/proc/%d/root%s/%s", ipcmark_participant_pid(inside->participant), in->where, name);
    return true;
}

/* Filled by files of our own and not by making it smaller: nothing but these can be hit by mistake. */
static bool enclosure_fill(stage *self, const enclosure *in)
{
    char path[4096], name[32];
    struct statvfs status;
    int file, error = 0;
    if (!enclosure_path(self, in, "filler", path, sizeof path))
        return false;
    file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file < 0 || fstatvfs(file, &status) < 0 ||
        (error = posix_fallocate(file, 0, (off_t)(status.f_bfree * status.f_frsize))) != 0)
        stage_object(self, IPCMARK_CLASS_NONE, "%s cannot be filled: %s", path, strerror(error != 0 ? error : errno));
    if (file < 0 || close(file) < 0 || error != 0)
        return false;
    for (unsigned i = 0; error == 0 && i < ENCLOSURE_FILES; ++i) {
        snprintf(name, sizeof name, "filler.%u", i);
        if (!enclosure_path(self, in, name, path, sizeof path))
            return false;
        error = mknod(path, S_IFREG | 0600, 0) == 0 ? 0 : errno;
    }
    stage_log(self, "%s is full", in->where);
    return error == ENOSPC || stage_object(self, IPCMARK_CLASS_NONE, "%s is full, and there is room in it", in->where);
}

static bool enclosure_empty(stage *self, const enclosure *in)
{
    char path[4096], name[32] = "filler";
    for (unsigned i = 0; i <= ENCLOSURE_FILES; ++i) {
        if (!enclosure_path(self, in, name, path, sizeof path))
            return false;
        if (unlink(path) < 0 && i > 0)
            break;
        snprintf(name, sizeof name, "filler.%u", i);
    }
    stage_log(self, "%s has room again", in->where);
    return true;
}

static bool play_full(stage *self, const char *where, const char *what)
{
    refusals refused = {0};
    enclosure in;
    self->demands.min_must = 200;
    if (!enclosure_make(self, &in, where) || !enclosure_cast(self, &in, 2, 2) ||
        !stage_open(self, &self->publishers[0]) || !stage_open(self, &self->subscribers[0]) || !stage_settle(self) ||
        !passes(self))
        return false;
    declare(self, true);
    if (!enclosure_fill(self, &in) || !pair_passes(self, &some, false, &refused) ||
        !try_open(self, &self->publishers[1], &refused) || !try_open(self, &self->subscribers[1], &refused) ||
        !pair_passes(self, &some, false, &refused))
        return false;
    if (!enclosure_empty(self, &in) || !open_the_others(self))
        return false;
    declare(self, false);
    return passes(self) && stage_close_all(self) && was_refused(self, &refused, what);
}

bool scarcity_play_directory_full(stage *self)
{
    return play_full(self, ipcmark_trial_files(self->trial), "room in the directory");
}

bool scarcity_play_shared_memory_full(stage *self)
{
    return play_full(self, "/dev/shm", "room in /dev/shm");
}

/* ---- limits of a process ------------------------------------------------------------------------------------------
 */

/* Publisher 1 and subscriber 1 each have a second endpoint in their process, the third of their kind; the second of
 * either kind lives elsewhere. */
static bool cast_limited(stage *self, const ordinary *how)
{
    actor *who;
    ordinary_cast(self, how, 3, 3);
    self->publishers[2].host = &self->publishers[0];
    self->subscribers[2].host = &self->subscribers[0];
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i) {
        who->ping_interval_ms = PING_MS;
        if (!stage_start(self, who))
            return false;
    }
    return stage_open(self, &self->publishers[0]) && stage_open(self, &self->subscribers[0]) && stage_settle(self) &&
           passes(self);
}

/* The soft limit only: it can be raised again, by the agent too, whose journal must not suffer. Said by one who may:
 * root without all its capabilities may not set the limits of another user's process. */
static bool limit(stage *self, const actor *who, const char *resource, unsigned long long soft)
{
    char command[ORDINARY_WRAP + 128];
    snprintf(command, sizeof command, "%s prlimit --pid %d --%s=%llu:", who->wrap != NULL ? who->wrap : "",
             ipcmark_participant_pid(who->participant), resource, soft);
    return system(command) == 0 ||
           stage_object(self, IPCMARK_CLASS_NONE, "%s cannot be limited by: %s", who->name, command);
}

/* Back to the bound that a process cannot pass by itself. */
static bool release(stage *self, const actor *who, const char *resource)
{
    char path[64], line[256];
    unsigned long long hard = 0;
    const char *const title = strcmp(resource, "as") == 0 ? "Max address space" : "Max open files";
    FILE *file;
    snprintf(path, sizeof path, "/proc/%d/limits", ipcmark_participant_pid(who->participant));
    file = fopen(path, "re");
    while (file != NULL && hard == 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, title, strlen(title)) == 0 && sscanf(line + strlen(title), "%*s %llu", &hard) != 1)
            hard = RLIM_INFINITY;
    if (file != NULL)
        fclose(file);
    return limit(self, who, resource, hard);
}

/* One comes from elsewhere, one in the limited process, and those who are connected go on. */
static bool come_and_go(stage *self, actor *newcomer, actor *guest, refusals *refused)
{
    const bool guest_first = stage_random(self, 2) == 0;
    return try_open(self, guest_first ? guest : newcomer, refused) && pair_passes(self, &some, false, refused) &&
           try_open(self, guest_first ? newcomer : guest, refused) && pair_passes(self, &some, false, refused);
}

/* Once there is enough of it again, whoever came meanwhile is connected. */
static bool live_again(stage *self, actor *newcomer, actor *guest)
{
    if ((!newcomer->open && !stage_open(self, newcomer)) || (!guest->open && !stage_open(self, guest)) ||
        !stage_settle(self))
        return false;
    declare(self, false);
    return passes(self) && stage_close(self, newcomer) && stage_close(self, guest) && stage_settle(self);
}

/* As many numbers as the process has in use below it, and `spare` more. */
static unsigned descriptor_limit(int pid, unsigned spare)
{
    char path[64];
    unsigned number = 0;
    for (unsigned found = 0;; ++number) {
        snprintf(path, sizeof path, "/proc/%d/fd/%u", pid, number);
        if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && found++ == spare)
            return number;
    }
}

static bool starve_of_descriptors(stage *self, actor *subject, actor *newcomer, actor *guest, refusals *refused)
{
    const unsigned rounds = stage_either(self, 5, 2);
    for (unsigned i = 0; i < rounds; ++i) {
        const unsigned spare = i == 0 ? 0 : 1 + (unsigned)stage_random(self, 10);
        const unsigned soft = descriptor_limit(ipcmark_participant_pid(subject->participant), spare);
        stage_log(self, "%s has %u descriptors left", subject->name, spare);
        declare(self, true);
        if (!limit(self, subject, "nofile", soft) || !come_and_go(self, newcomer, guest, refused) ||
            !release(self, subject, "nofile") || !live_again(self, newcomer, guest))
            return false;
    }
    return true;
}

bool scarcity_play_descriptors(stage *self)
{
    refusals refused = {0};
    ordinary how;
    self->demands.min_must = 200;
    return ordinary_make(self, &how) && cast_limited(self, &how) &&
           starve_of_descriptors(self, &self->subscribers[0], &self->publishers[1], &self->subscribers[2], &refused) &&
           starve_of_descriptors(self, &self->publishers[0], &self->subscribers[1], &self->publishers[2], &refused) &&
           stage_close_all(self) && was_refused(self, &refused, "descriptors");
}

static unsigned long long address_space(int pid)
{
    char path[64];
    unsigned long long pages = 0;
    FILE *file;
    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    file = fopen(path, "re");
    if (file != NULL && fscanf(file, "%llu", &pages) != 1)
        pages = 0;
    if (file != NULL)
        fclose(file);
    return pages * (unsigned long long)sysconf(_SC_PAGESIZE);
}

/* A backlog of more than what is left, while the subscriber is stopped; then it takes what there is. */
static bool burst(stage *self, refusals *refused)
{
    static const size_t large[] = {1048576, 200};
    const ipcmark_publish_options options = {
        .count = 128, .sizes = large, .sizes_count = COUNT_OF(large), .deadline_seconds = 20};
    return pair_passes(self, &options, true, refused);
}

/* What the agent needs itself, for a thread and a request, it has: the rest is the implementation's. */
static bool starve_of_memory(stage *self, actor *subject, actor *newcomer, actor *guest, refusals *refused)
{
    const unsigned rounds = stage_either(self, 2, 1);
    for (unsigned i = 0; i < rounds; ++i) {
        const unsigned long long used = address_space(ipcmark_participant_pid(subject->participant));
        const unsigned spare = 20 + (unsigned)stage_random(self, 20);
        if (used >> 36 != 0)
            return stage_skip(self,
                              "a participant reserves %llu GiB of address space for itself, as sanitizers do: it "
                              "cannot be limited",
                              used >> 30);
        stage_log(self, "%s has %u MiB of address space left", subject->name, spare);
        declare(self, true);
        if (!limit(self, subject, "as", used + ((unsigned long long)spare << 20)) || !burst(self, refused) ||
            !come_and_go(self, newcomer, guest, refused) || !release(self, subject, "as") ||
            !live_again(self, newcomer, guest))
            return false;
    }
    return true;
}

bool scarcity_play_memory(stage *self)
{
    refusals refused = {0};
    ordinary how;
    self->demands.min_must = 200;
    return ordinary_make(self, &how) && cast_limited(self, &how) &&
           starve_of_memory(self, &self->publishers[0], &self->subscribers[1], &self->publishers[2], &refused) &&
           starve_of_memory(self, &self->subscribers[0], &self->publishers[1], &self->subscribers[2], &refused) &&
           stage_close_all(self) && was_refused(self, &refused, "address space");
}
