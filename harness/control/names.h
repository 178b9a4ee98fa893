/* names.h — what outlives processes and lies in no folder of the trial: POSIX shared memory and semaphores (/dev/shm),
 * POSIX message queues (where /dev/mqueue is mounted), System V shared memory, semaphores and message queues.
 *
 * Others on this machine make such things too. One is the participants' if it was not there when the trial began and
 * one of them was seen to hold it (by its inode), or the kernel names one of them as who made it or used it last, while
 * that number could be nobody else's; and if nobody else holds it. What cannot be proved is neither judged nor removed.
 */
#ifndef CONTROL_NAMES_H
#define CONTROL_NAMES_H

#include "ipcmark/control.h"

int names_open(ipcmark_trial *);
/* What is there now, and what of it participants hold or the kernel says they use. Cheap where nothing was made since
 * the last time, and never a walk through all processes: it comes before each request, so that who made a thing is seen
 * before it lets go of it, and before a kill. */
void names_look(ipcmark_trial *);
/* Likewise, and what those hold whom it left: before they are killed, and before it, which has exited, is reaped. */
void names_look_at_offspring(ipcmark_participant *);
/* Calls `found`, which may be NULL, for each thing that is the participants' and still there. Returns their number.
 * Walks through all processes, for who comes from participants and for others who hold a thing: where it is judged. */
int names_left(ipcmark_trial *, void found(void *context, const char *text), void *context);
/* Removes what is left. */
void names_close(ipcmark_trial *);

#endif
