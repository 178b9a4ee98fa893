/* ENV: file systems without room. */
#include "ordinary.h"
#include "scarcity.h"
#include "surroundings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { ENCLOSURE_FILES = 4096 };

/* Those that could not open before can now, and everyone meets everyone. */
static bool open_the_others(stage *self)
{
    actor *who;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (!who->open && !stage_open(self, who))
            return false;
    return stage_settle(self);
}

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
        who->ping_interval_ms = SCARCITY_PING_MS;
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
        !scarcity_passes(self))
        return false;
    scarcity_declare(self, true);
    if (!enclosure_fill(self, &in) || !scarcity_pair_passes(self, &scarcity_some, false, &refused) ||
        !scarcity_try_open(self, &self->publishers[1], &refused) ||
        !scarcity_try_open(self, &self->subscribers[1], &refused) ||
        !scarcity_pair_passes(self, &scarcity_some, false, &refused))
        return false;
    if (!enclosure_empty(self, &in) || !open_the_others(self))
        return false;
    scarcity_declare(self, false);
    return scarcity_passes(self) && stage_close_all(self) && scarcity_was_refused(self, &refused, what);
}

bool room_play_directory_full(stage *self)
{
    return play_full(self, ipcmark_trial_files(self->trial), "room in the directory");
}

bool room_play_shared_memory_full(stage *self)
{
    return play_full(self, "/dev/shm", "room in /dev/shm");
}
