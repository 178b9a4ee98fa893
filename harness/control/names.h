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
/* What is there now, and whose it is. Cheap where nothing was made since the last time. Before each request, so that
 * who made a thing is seen before it lets go of it; and before an ended participant is reaped. */
void names_look(ipcmark_trial *);
/* Calls `found`, which may be NULL, for each thing that is the participants' and still there. Returns their number. */
int names_left(ipcmark_trial *, void found(void *context, const char *text), void *context);
/* Removes what is left. */
void names_close(ipcmark_trial *);

#endif
