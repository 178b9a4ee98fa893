/* A subscriber that has one place into which its publishers put whole frames (frame.h), each in one piece: a socket for
 * datagrams, a message queue. Who may put something there they learn from the roster. */
#ifndef COMMON_MAILBOX_H
#define COMMON_MAILBOX_H

#include "roster.h"

#include <sys/types.h>

struct mailbox_kind {
    const char *driver;
    void (*stale)(const char *address); /* roster.h */
    size_t frame_max;                   /* bytes */

    /* What these are given is the driver's own `place`. */
    int (*find)(void *place,
                char address[ROSTER_ADDRESS]); /* chooses the address, at which there need be nothing yet */
    int (*make)(void *place, const ipcmark_endpoint *options); /* once it is written down; or NULL */
    ssize_t (*receive)(void *place, void *at,
                       size_t room); /* blocks; bytes of a frame, or 0 and less: there was none */
    void (*wake)(void *place);
    void (*free)(void *place); /* whatever there is, the address still written down; called if opening fails, too */
};

int mailbox_open(void **out, const ipcmark_endpoint *options, const struct mailbox_kind *kind, void *place,
                 ipcmark_deliver_fn *deliver, void *context);
int mailbox_peers(void *mailbox);
/* May be called by deliver. */
void mailbox_close(void *mailbox);

#endif
