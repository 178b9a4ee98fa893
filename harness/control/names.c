#include "names.h"

#include "internal.h"
#include "things.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* How often it is asked whose a thing is: who makes one holds it then. */
enum { LOOKS = 8, SEMAPHORES = 64 };

struct names {
    struct things things;
    uint64_t asked_ns; /* others, what they hold: it takes many milliseconds */
    bool asked_last;   /* once no participant is left */
};

/* A participant that is there, if only as a zombie, or one of its offspring. */
static bool is_participant(const ipcmark_trial *trial, pid_t pid)
{
    const pid_t session = getsid(pid);
    for (const ipcmark_participant *each = trial->participants; pid > 0 && each != NULL; each = each->next)
        if (each->spawned && !each->exited && (each->pid == pid || each->pid == session))
            return true;
    return pid > 0 && processes_are_offspring(&trial->session->family, pid);
}

/* What one process holds. */
struct holder {
    struct names *names;
    enum owner from, to; /* what it makes of the items of the one sort that it holds */
    uid_t user;          /* -1: any */
    dev_t devices[QUEUE_FILES + 1];
};

static void hold(struct holder *holder, dev_t device, uint64_t inode)
{
    for (enum kind kind = 0; things_are_files(kind); ++kind) {
        struct list *const list = &holder->names->things.lists[kind];
        struct stat status;
        char path[PATH_MAX];
        for (size_t i = 0; device == holder->devices[kind] && i < list->count; ++i) {
            struct item *const item = &list->items[i];
            if (item->id != inode || item->owner != holder->from)
                continue;
            snprintf(path, sizeof path, "%s/%s", things_paths[kind], item->name);
            if (holder->user == (uid_t)-1 || (stat(path, &status) == 0 && status.st_uid == holder->user))
                item->owner = holder->to;
        }
    }
}

static void hold_mapped(struct holder *holder, pid_t pid)
{
    char path[64], line[PATH_MAX + 256];
    unsigned major_number, minor_number;
    uint64_t inode;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(path, "re");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL)
        if (sscanf(line, "%*s %*s %*s %x:%x %" SCNu64, &major_number, &minor_number, &inode) == 3 && inode != 0)
            hold(holder, makedev(major_number, minor_number), inode);
    if (maps != NULL)
        fclose(maps);
}

static void hold_open(struct holder *holder, pid_t pid)
{
    char path[64];
    struct stat status;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *directory = opendir(path);
    if (directory == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        if (fstatat(dirfd(directory), entry->d_name, &status, 0) == 0)
            hold(holder, status.st_dev, status.st_ino);
    closedir(directory);
}

static void hold_all(struct holder *holder, pid_t pid)
{
    hold_mapped(holder, pid);
    hold_open(holder, pid);
}

static struct holder new_holder(struct names *names, enum owner from, enum owner to)
{
    struct holder holder = {.names = names, .from = from, .to = to, .user = (uid_t)-1};
    struct stat status;
    for (enum kind kind = 0; things_are_files(kind); ++kind)
        holder.devices[kind] = stat(things_paths[kind], &status) == 0 ? status.st_dev : 0;
    return holder;
}

/* Of all processes those who are participants, or those who are not. */
static void hold_by(const ipcmark_trial *trial, struct holder *holder, bool participants)
{
    struct stat status;
    DIR *directory = opendir("/proc");
    if (directory == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        const pid_t pid = (pid_t)atoi(entry->d_name);
        if (pid <= 0 || pid == getpid() || is_participant(trial, pid) != participants)
            continue;
        if (participants && fstatat(dirfd(directory), entry->d_name, &status, 0) == 0)
            holder->user = status.st_uid;
        hold_all(holder, pid);
    }
    closedir(directory);
}

static unsigned *count_of(struct item *item, bool walks)
{
    return walks ? &item->walks : &item->looks;
}

/* Whether there is a file whose owner is to be asked for once more: by a look, or by a walk. */
static bool is_due(struct names *self, bool walks)
{
    for (enum kind kind = 0; things_are_files(kind); ++kind)
        for (size_t i = 0; i < self->things.lists[kind].count; ++i) {
            struct item *const item = &self->things.lists[kind].items[i];
            if (item->owner == UNKNOWN && *count_of(item, walks) < LOOKS)
                return true;
        }
    return false;
}

static void count_one(struct names *self, bool walks)
{
    for (enum kind kind = 0; things_are_files(kind); ++kind)
        for (size_t i = 0; i < self->things.lists[kind].count; ++i)
            ++*count_of(&self->things.lists[kind].items[i], walks);
}

static void hold_of(void *context, pid_t pid, const char *name)
{
    struct holder *holder = context;
    struct stat status;
    char path[64];
    (void)name;
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    if (stat(path, &status) < 0)
        return;
    holder->user = status.st_uid;
    hold_all(holder, pid);
}

static void ask_participants(const ipcmark_trial *trial)
{
    struct holder holder = new_holder(trial->names, UNKNOWN, THEIRS);
    for (const ipcmark_participant *each = trial->participants; each != NULL; each = each->next)
        if (each->spawned && !each->exited)
            hold_of(&holder, each->pid, each->name);
    count_one(trial->names, false);
}

/* And whoever comes from them, wherever it is. */
static void ask_offspring(const ipcmark_trial *trial)
{
    struct holder holder = new_holder(trial->names, UNKNOWN, THEIRS);
    hold_by(trial, &holder, true);
    count_one(trial->names, true);
}

static bool is_used_by_participants(const ipcmark_trial *trial, enum kind kind, const struct item *item)
{
    if (is_participant(trial, item->users[0]) || is_participant(trial, item->users[1]))
        return true;
    for (unsigned i = 0; kind == SEMAPHORE_SETS && i < item->members && i < SEMAPHORES; ++i)
        if (is_participant(trial, semctl((int)item->id, (int)i, GETPID)))
            return true;
    return false;
}

void names_look(ipcmark_trial *trial)
{
    struct names *const self = trial->names;
    if (self == NULL)
        return;
    things_refresh(&self->things);
    if (is_due(self, false))
        ask_participants(trial);
    for (enum kind kind = SHARED_SEGMENTS; kind < KINDS; ++kind)
        for (size_t i = 0; i < self->things.lists[kind].count; ++i) {
            struct item *const item = &self->things.lists[kind].items[i];
            if (item->owner == UNKNOWN && is_used_by_participants(trial, kind, item))
                item->owner = THEIRS;
        }
}

void names_look_at_offspring(ipcmark_participant *participant)
{
    const ipcmark_trial *trial = participant->trial;
    if (trial->names == NULL)
        return;
    names_look(participant->trial);
    struct holder holder = new_holder(trial->names, UNKNOWN, THEIRS);
    processes_of(&trial->session->family, participant->pid, hold_of, &holder);
}

static int each_left(ipcmark_trial *trial, void found(void *, const char *), void *context)
{
    int count = 0;
    for (enum kind kind = 0; kind < KINDS; ++kind)
        for (size_t i = 0; i < trial->names->things.lists[kind].count; ++i) {
            const struct item *item = &trial->names->things.lists[kind].items[i];
            char text[PATH_MAX];
            if (item->owner != THEIRS || (trial->stopped && item->holders > 0))
                continue;
            ++count;
            things_describe(kind, item, text, sizeof text);
            if (found != NULL)
                found(context, text);
        }
    return count;
}

int names_left(ipcmark_trial *trial, void found(void *context, const char *text), void *context)
{
    struct names *const self = trial->names;
    if (self == NULL)
        return 0;
    names_look(trial);
    if (!trial->stopped && is_due(self, true))
        ask_offspring(trial);
    if (each_left(trial, NULL, NULL) == 0 || self->asked_last)
        return each_left(trial, found, context);
    if (trial->stopped || ipcmark_now_ns() - self->asked_ns > 500000000) {
        struct holder others = new_holder(self, THEIRS, FOREIGN);
        hold_by(trial, &others, false);
        self->asked_ns = ipcmark_now_ns();
        self->asked_last = trial->stopped;
    }
    return each_left(trial, found, context);
}

void names_close(ipcmark_trial *trial)
{
    struct names *const self = trial->names;
    if (self == NULL)
        return;
    trial->stopped = true;
    names_left(trial, NULL, NULL);
    for (enum kind kind = 0; kind < KINDS; ++kind)
        for (size_t i = 0; i < self->things.lists[kind].count; ++i)
            if (self->things.lists[kind].items[i].owner == THEIRS && self->things.lists[kind].items[i].holders == 0)
                things_remove(kind, &self->things.lists[kind].items[i]);
    things_free(&self->things);
    free(self);
    trial->names = NULL;
}

int names_open(ipcmark_trial *trial)
{
    if (trial->options.no_names)
        return 0;
    trial->names = calloc(1, sizeof *trial->names);
    if (trial->names == NULL)
        return -ENOMEM;
    names_look(trial);
    trial->names->things.begun = true;
    return 0;
}
