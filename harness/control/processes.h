/* processes.h — what /proc says, so that nobody has to be believed about what is left. */
#ifndef CONTROL_PROCESSES_H
#define CONTROL_PROCESSES_H

#include <stddef.h>
#include <sys/types.h>

/* Calls `found` for each process of `session` (each participant leads one of its own) that is not a zombie.
 * Returns their number, or -errno. */
int processes_of_session(pid_t session, void found(void *context, pid_t pid, const char *name), void *context);

/* Kills them until there are none; processes that fork meanwhile are caught by going round again. */
int processes_kill_session(pid_t session);

#endif
