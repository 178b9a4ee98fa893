/* processes.h — what /proc says, so that nobody has to be believed about what is left.
 *
 * Each participant leads a session of its own, and has its mark in its environment, which all that it starts inherit:
 * also who leaves the session. Who leaves both is still a child of the coordinator in the end: it takes in orphans. So
 * it does with those of others, where it had children before: then who has no mark may be theirs, and is let alone. */
#ifndef CONTROL_PROCESSES_H
#define CONTROL_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Whom a coordinator answers for. */
struct family {
    uint64_t run; /* drawn anew for each, in every mark: in another container others have the numbers of ours */
    pid_t *own;   /* children that are none by adoption: those that it began with, and those that it started */
    size_t count, capacity;
    bool alone; /* it began with none: whom it adopts comes from its participants */
};

typedef void process_found(void *context, pid_t pid, const char *name);

/* From here on orphans of those whom this process starts are its children. */
int family_open(struct family *);
void family_close(struct family *);
/* Of each process that the coordinator starts in another session, until it has been reaped: others are reaped for it.
 */
int family_add(struct family *, pid_t child);
void family_remove(struct family *, pid_t child);

/* Marks this process, which is about to become a participant of that run. */
int processes_mark(uint64_t run);
/* Whether it has the mark of a participant of ours. */
bool processes_are_offspring(const struct family *, pid_t pid);

/* Calls `found` for each process of the participant's session, and for each other one that has its mark, less zombies.
 * For the coordinator, whom orphans are handed to, before it reaps the participant: its number is its own until then.
 * Returns their number, or -errno. */
int processes_of(const struct family *, pid_t participant, process_found *found, void *context);
/* Kills them until there are none; processes that fork meanwhile are caught by going round again. */
int processes_kill(const struct family *, pid_t participant);

/* Likewise, for each process that was started under no mark and is not ours: a child by adoption. Only when there is no
 * participant. */
int processes_of_nobody(const struct family *, process_found *found, void *context);
int processes_kill_of_nobody(const struct family *);

/* For the guard, when the coordinator is gone: those of the session; then all of that run's mark. */
int processes_kill_session(pid_t session);
int processes_kill_marked(uint64_t run);

#endif
