/* Every descriptor that this library holds, so that a child of fork() can close its copies: the peers' hang-up and the
 * locks of the slot files must not outlive the parent in it.
 *
 *     descriptor_hold();
 *     return descriptor_keep(eventfd(0, EFD_CLOEXEC));
 *
 * In between no fork can happen, which would leave the child a descriptor that is not known. Nothing there may wait. */
#ifndef MMIPC_DESCRIPTOR_H
#define MMIPC_DESCRIPTOR_H

void descriptor_hold(void);
void descriptor_release(void); /* ends the hold */
int descriptor_keep(int fd);   /* likewise; -errno if fd is -1 */
/* Likewise, of several; one that there is no memory for is closed, and its number negative. */
void descriptor_keep_all(int *fds, int count);
void descriptor_forget(int fd); /* before it is closed, in the same hold: its number may be another's at once */

#endif
