/* things.h — what there is on this machine that outlives processes and lies in no folder of a trial: see names.h. */
#ifndef CONTROL_THINGS_H
#define CONTROL_THINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum owner { UNKNOWN, THEIRS, FOREIGN };

struct item {
    uint64_t id; /* inode, or of System V */
    char *name;  /* of a file, else NULL */
    enum owner owner;
    unsigned looks, walks; /* how often participants, and those whom they started, were asked whether it is theirs */
    unsigned holders, members; /* System V: who has it attached; semaphores of a set */
    int users[2];              /* System V: processes that the kernel names, or 0 */
};

struct list {
    struct item *items; /* sorted */
    size_t count, capacity;
};

enum kind { SHARED_FILES, QUEUE_FILES, SHARED_SEGMENTS, SEMAPHORE_SETS, MESSAGE_QUEUES, KINDS };

struct things {
    struct list lists[KINDS];
    struct {
        struct timespec changed;
        bool settled; /* it had not changed for a while when it was read */
    } folders[QUEUE_FILES + 1];
    bool begun; /* what is found from here on was not there before, and its owner is UNKNOWN */
};

extern const char *const things_paths[KINDS];
bool things_are_files(enum kind);

/* Reads anew what has changed; of what was known already the owner stays. */
void things_refresh(struct things *);
void things_free(struct things *);

void things_describe(enum kind, const struct item *, char *text, size_t size);
void things_remove(enum kind, const struct item *);

#endif
