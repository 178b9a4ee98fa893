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
int descriptor_keep(int fd); /* ends the hold; -errno if fd is -1 */
/* Likewise, of several; one that there is no memory for is closed, and its number negative. */
void descriptor_keep_all(int *fds, int count);

#endif
