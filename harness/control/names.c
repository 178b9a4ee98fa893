#include "names.h"

#include "internal.h"
#include "processes.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* How often it is asked whose a thing is: who makes one holds it then. */
enum { LOOKS = 8, SEMAPHORES = 64 };

enum owner { UNKNOWN, THEIRS, FOREIGN };

struct item {
    uint64_t id; /* inode, or of System V */
    char *name;  /* of a file, else NULL */
    enum owner owner;
    unsigned looks, holders, members; /* System V: who has it attached; semaphores of a set */
    int users[2];                     /* System V: processes that the kernel names, or 0 */
};

struct list {
    struct item *items; /* sorted */
    size_t count, capacity;
};

enum kind { SHARED_FILES, QUEUE_FILES, SHARED_SEGMENTS, SEMAPHORE_SETS, MESSAGE_QUEUES, KINDS };

static const char *const paths[KINDS] = {"/dev/shm", "/dev/mqueue", "/proc/sysvipc/shm", "/proc/sysvipc/sem",
                                         "/proc/sysvipc/msg"};

struct names {
    struct list lists[KINDS];
    struct {
        struct timespec changed;
        bool settled; /* it had not changed for a while when it was read */
    } folders[QUEUE_FILES + 1];
    uint64_t asked_ns; /* others, what they hold: it takes many milliseconds */
    bool begun;        /* what is found from here on was not there before */
};

static bool is_folder(enum kind kind)
{
    return kind <= QUEUE_FILES;
}

/* ---- what is there ----------------------------------------------------------------------------------------------- */

static int compare_items(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return x->name == NULL || y->name == NULL ? 0 : strcmp(x->name, y->name);
}

static void add(struct list *list, struct item item)
{
    if (list->count == list->capacity) {
        const size_t capacity = 2 * list->capacity + 16;
        struct item *grown = realloc(list->items, capacity * sizeof *grown);
        if (grown == NULL) {
            free(item.name);
            return;
        }
        list->items = grown;
        list->capacity = capacity;
    }
    list->items[list->count++] = item;
}

static void free_list(struct list *list)
{
    for (size_t i = 0; i < list->count; ++i)
        free(list->items[i].name);
    free(list->items);
}

static void read_folder(enum kind kind, struct list *out)
{
    DIR *directory = opendir(paths[kind]);
    if (directory == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        if (entry->d_type == DT_REG)
            add(out, (struct item){.id = entry->d_ino, .name = strdup(entry->d_name)});
    closedir(directory);
}

/* "key id perms …"; a segment that is to be destroyed goes with who has it attached. */
static void read_table(enum kind kind, struct list *out)
{
    char line[512];
    FILE *file = fopen(paths[kind], "re");
    if (file == NULL)
        return;
    while (fgets(line, sizeof line, file) != NULL) {
        struct item item = {0};
        unsigned permissions;
        bool fits;
        if (kind == SHARED_SEGMENTS)
            fits = sscanf(line, "%*d %" SCNu64 " %o %*u %d %*d %u", &item.id, &permissions, &item.users[0],
                          &item.holders) == 4 &&
                   (permissions & SHM_DEST) == 0;
        else if (kind == MESSAGE_QUEUES)
            fits = sscanf(line, "%*d %" SCNu64 " %*o %*u %*u %d %d", &item.id, &item.users[0], &item.users[1]) == 3;
        else
            fits = sscanf(line, "%*d %" SCNu64 " %*o %u", &item.id, &item.members) == 2;
        if (fits)
            add(out, item);
    }
    fclose(file);
}

static struct item *find_item(const struct list *list, const struct item *like)
{
    return list->count == 0 ? NULL : bsearch(like, list->items, list->count, sizeof *like, compare_items);
}

/* The clock of files is a coarse one: of two changes within a tick the second does not show. */
static bool is_unchanged(struct names *self, enum kind kind)
{
    struct timespec now;
    struct stat status;
    if (stat(paths[kind], &status) < 0)
        return true;
    clock_gettime(CLOCK_REALTIME, &now);
    const struct timespec changed = status.st_mtim, before = self->folders[kind].changed;
    const bool same =
        changed.tv_sec == before.tv_sec && changed.tv_nsec == before.tv_nsec && self->folders[kind].settled;
    self->folders[kind].changed = changed;
    self->folders[kind].settled =
        (double)(now.tv_sec - changed.tv_sec) + 1e-9 * (double)(now.tv_nsec - changed.tv_nsec) > 0.1;
    return same;
}

static void refresh(struct names *self, enum kind kind)
{
    struct list *const known = &self->lists[kind], now = {0};
    if (is_folder(kind) && is_unchanged(self, kind))
        return;
    if (is_folder(kind))
        read_folder(kind, &now);
    else
        read_table(kind, &now);
    for (size_t i = 0; i < now.count; ++i) {
        const struct item *before = find_item(known, &now.items[i]);
        now.items[i].owner = before != NULL ? before->owner : self->begun ? UNKNOWN : FOREIGN;
        now.items[i].looks = before != NULL ? before->looks : 0;
    }
    if (now.count > 0)
        qsort(now.items, now.count, sizeof *now.items, compare_items);
    free_list(known);
    *known = now;
}

/* ---- whose it is ------------------------------------------------------------------------------------------------- */

/* A participant that is there, if only as a zombie, or one of its offspring. */
static bool is_participant(const ipcmark_trial *trial, pid_t pid)
{
    const pid_t session = getsid(pid);
    for (const ipcmark_participant *each = trial->participants; pid > 0 && each != NULL; each = each->next)
        if (each->spawned && !each->exited && (each->pid == pid || each->pid == session))
            return true;
    return pid > 0 && processes_are_offspring(pid);
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
    for (enum kind kind = 0; is_folder(kind); ++kind) {
        struct list *const list = &holder->names->lists[kind];
        struct stat status;
        char path[PATH_MAX];
        for (size_t i = 0; device == holder->devices[kind] && i < list->count; ++i) {
            struct item *const item = &list->items[i];
            if (item->id != inode || item->owner != holder->from)
                continue;
            snprintf(path, sizeof path, "%s/%s", paths[kind], item->name);
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
    for (enum kind kind = 0; is_folder(kind); ++kind)
        holder.devices[kind] = stat(paths[kind], &status) == 0 ? status.st_dev : 0;
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

static bool has_unknown(const struct names *self)
{
    for (enum kind kind = 0; is_folder(kind); ++kind)
        for (size_t i = 0; i < self->lists[kind].count; ++i)
            if (self->lists[kind].items[i].owner == UNKNOWN)
                return true;
    return false;
}

static void find_holders(const ipcmark_trial *trial)
{
    struct names *const self = trial->names;
    struct holder holder = new_holder(self, UNKNOWN, THEIRS);
    struct stat status;
    char path[64];
    for (const ipcmark_participant *each = trial->participants; each != NULL; each = each->next) {
        snprintf(path, sizeof path, "/proc/%d", (int)each->pid);
        if (!each->spawned || each->exited || stat(path, &status) < 0)
            continue;
        holder.user = status.st_uid;
        hold_all(&holder, each->pid);
    }
    if (has_unknown(self))
        hold_by(trial, &holder, true);
    for (enum kind kind = 0; is_folder(kind); ++kind)
        for (size_t i = 0; i < self->lists[kind].count; ++i)
            if (self->lists[kind].items[i].owner == UNKNOWN && ++self->lists[kind].items[i].looks >= LOOKS)
                self->lists[kind].items[i].owner = FOREIGN;
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
    for (enum kind kind = 0; kind < KINDS; ++kind)
        refresh(self, kind);
    if (has_unknown(self))
        find_holders(trial);
    for (enum kind kind = SHARED_SEGMENTS; kind < KINDS; ++kind)
        for (size_t i = 0; i < self->lists[kind].count; ++i) {
            struct item *const item = &self->lists[kind].items[i];
            if (item->owner == UNKNOWN && is_used_by_participants(trial, kind, item))
                item->owner = THEIRS;
        }
}

/* ---- what is left ------------------------------------------------------------------------------------------------ */

static void describe(enum kind kind, const struct item *item, char *text, size_t size)
{
    static const char *const words[] = {[SHARED_SEGMENTS] = "shared memory segment",
                                        [SEMAPHORE_SETS] = "semaphore set",
                                        [MESSAGE_QUEUES] = "message queue"};
    if (is_folder(kind))
        snprintf(text, size, "%s/%s", paths[kind], item->name);
    else
        snprintf(text, size, "System V %s %" PRIu64, words[kind], item->id);
}

static int each_left(ipcmark_trial *trial, void found(void *, const char *), void *context)
{
    int count = 0;
    for (enum kind kind = 0; kind < KINDS; ++kind)
        for (size_t i = 0; i < trial->names->lists[kind].count; ++i) {
            const struct item *item = &trial->names->lists[kind].items[i];
            char text[PATH_MAX];
            if (item->owner != THEIRS || (trial->stopped && item->holders > 0))
                continue;
            ++count;
            describe(kind, item, text, sizeof text);
            if (found != NULL)
                found(context, text);
        }
    return count;
}

int names_left(ipcmark_trial *trial, void found(void *context, const char *text), void *context)
{
    if (trial->names == NULL)
        return 0;
    names_look(trial);
    if (each_left(trial, NULL, NULL) == 0)
        return 0;
    if (trial->stopped || ipcmark_now_ns() - trial->names->asked_ns > 500000000) {
        struct holder others = new_holder(trial->names, THEIRS, FOREIGN);
        hold_by(trial, &others, false);
        trial->names->asked_ns = ipcmark_now_ns();
    }
    return each_left(trial, found, context);
}

static void remove_item(enum kind kind, const struct item *item)
{
    char path[PATH_MAX];
    struct stat status;
    describe(kind, item, path, sizeof path);
    if (is_folder(kind) && stat(path, &status) == 0 && status.st_ino == item->id)
        unlink(path);
    else if (kind == SHARED_SEGMENTS)
        shmctl((int)item->id, IPC_RMID, NULL);
    else if (kind == SEMAPHORE_SETS)
        semctl((int)item->id, 0, IPC_RMID);
    else if (kind == MESSAGE_QUEUES)
        msgctl((int)item->id, IPC_RMID, NULL);
}

void names_close(ipcmark_trial *trial)
{
    struct names *const self = trial->names;
    if (self == NULL)
        return;
    trial->stopped = true;
    names_left(trial, NULL, NULL);
    for (enum kind kind = 0; kind < KINDS; ++kind) {
        for (size_t i = 0; i < self->lists[kind].count; ++i)
            if (self->lists[kind].items[i].owner == THEIRS && self->lists[kind].items[i].holders == 0)
                remove_item(kind, &self->lists[kind].items[i]);
        free_list(&self->lists[kind]);
    }
    free(self);
    trial->names = NULL;
}

int names_open(ipcmark_trial *trial)
{
    trial->names = calloc(1, sizeof *trial->names);
    if (trial->names == NULL)
        return -ENOMEM;
    names_look(trial);
    trial->names->begun = true;
    return 0;
}
