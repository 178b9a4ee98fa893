/* processes.h — what /proc says, so that nobody has to be believed about what is left.
 *
 * Each participant leads a session of its own, and has its mark in its environment, which all that it starts inherit:
 * also who leaves the session. Who leaves both is still a child of the coordinator in the end: it takes in orphans. */
#ifndef CONTROL_PROCESSES_H
#define CONTROL_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef void process_found(void *context, pid_t pid, const char *name);

/* From here on orphans of those whom this process starts are its children. */
int processes_adopt(void);
/* Marks this process, which is about to become a participant of that coordinator. */
int processes_mark(pid_t coordinator);

/* Calls `found` for each process of the participant's session, and for each other one that has its mark, less zombies.
 * For the coordinator, whom orphans are handed to. Returns their number, or -errno. */
int processes_of(pid_t participant, process_found *found, void *context);
/* Kills them until there are none; processes that fork meanwhile are caught by going round again. */
int processes_kill(pid_t participant);

/* Likewise, for each process that was started under no mark and is not ours: a child by adoption. Only when there is no
 * participant. */
int processes_of_nobody(process_found *found, void *context);
int processes_kill_of_nobody(void);

/* Whether it has the mark of a participant of ours. */
bool processes_are_offspring(pid_t pid);

/* For the guard, when the coordinator is gone: those of the session; then all of that coordinator's mark. */
int processes_kill_session(pid_t session);
int processes_kill_marked(pid_t coordinator);

#endif
