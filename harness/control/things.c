#include "things.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const things_paths[KINDS] = {"/dev/shm", "/dev/mqueue", "/proc/sysvipc/shm", "/proc/sysvipc/sem",
                                         "/proc/sysvipc/msg"};

bool things_are_files(enum kind kind)
{
    return kind <= QUEUE_FILES;
}

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
    DIR *directory = opendir(things_paths[kind]);
    if (directory == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        if (entry->d_type == DT_REG || entry->d_type == DT_FIFO)
            add(out, (struct item){.id = entry->d_ino, .name = strdup(entry->d_name)});
    closedir(directory);
}

/* "key id perms …"; a segment that is to be destroyed goes with who has it attached. */
static void read_table(enum kind kind, struct list *out)
{
    char line[512];
    FILE *file = fopen(things_paths[kind], "re");
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
static bool is_unchanged(struct things *self, enum kind kind)
{
    struct timespec now;
    struct stat status;
    if (stat(things_paths[kind], &status) < 0)
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

static void refresh_kind(struct things *self, enum kind kind)
{
    struct list *const known = &self->lists[kind], now = {0};
    if (things_are_files(kind) && is_unchanged(self, kind))
        return;
    if (things_are_files(kind))
        read_folder(kind, &now);
    else
        read_table(kind, &now);
    for (size_t i = 0; i < now.count; ++i) {
        const struct item *before = find_item(known, &now.items[i]);
        now.items[i].owner = before != NULL ? before->owner : self->begun ? UNKNOWN : FOREIGN;
        now.items[i].looks = before != NULL ? before->looks : 0;
        now.items[i].walks = before != NULL ? before->walks : 0;
    }
    if (now.count > 0)
        qsort(now.items, now.count, sizeof *now.items, compare_items);
    free_list(known);
    *known = now;
}

void things_refresh(struct things *self)
{
    for (enum kind kind = 0; kind < KINDS; ++kind)
        refresh_kind(self, kind);
}

void things_free(struct things *self)
{
    for (enum kind kind = 0; kind < KINDS; ++kind)
        free_list(&self->lists[kind]);
}

void things_describe(enum kind kind, const struct item *item, char *text, size_t size)
{
    static const char *const words[] = {[SHARED_SEGMENTS] = "shared memory segment",
                                        [SEMAPHORE_SETS] = "semaphore set",
                                        [MESSAGE_QUEUES] = "message queue"};
    if (things_are_files(kind))
        snprintf(text, size, "%s/%s", things_paths[kind], item->name);
    else
        snprintf(text, size, "System V %s %" PRIu64, words[kind], item->id);
}

void things_remove(enum kind kind, const struct item *item)
{
    char path[PATH_MAX];
    struct stat status;
    things_describe(kind, item, path, sizeof path);
    if (things_are_files(kind) && stat(path, &status) == 0 && status.st_ino == item->id)
        unlink(path);
    else if (kind == SHARED_SEGMENTS)
        shmctl((int)item->id, IPC_RMID, NULL);
    else if (kind == SEMAPHORE_SETS)
        semctl((int)item->id, 0, IPC_RMID);
    else if (kind == MESSAGE_QUEUES)
        msgctl((int)item->id, IPC_RMID, NULL);
}
