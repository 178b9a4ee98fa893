/* Who is there, for implementations that leave it to their users to know each other's addresses.
 *
 * Each endpoint advertises itself by a file DRIVER-CHANNEL-PROCESS-HEX.pub or .sub (directory.h) that says who it is
 * and where it can be reached, and has a thread that looks for those of the other kind. A file that is shown or removed
 * is seen at once; the files of the dead are removed by whoever scans first, each ping interval, at most a second.
 * Endpoints of one process do not meet. */
#ifndef COMMON_ROSTER_H
#define COMMON_ROSTER_H

#include "stream.h"

enum { ROSTER_ADDRESS = 128 };

struct roster;

struct roster_kind {
    const char *driver; /* first word of the files' names */
    bool is_publisher;
    void (*stale)(const char *address); /* or NULL: clears away what a dead endpoint has left, before its file goes */
    /* Called by the roster's thread, left by roster_close too; both NULL: being seen is enough. Somebody is there; what
     * is put into *member is told when it leaves. -errno: try again at the next scan. */
    int (*joined)(void *context, const char *id, const char *address, void **member);
    void (*left)(void *context, void *member);
};

/* Clears away what the dead have left, and makes the advertisement, which nobody sees yet: whatever is at the address
 * can be made now. */
int roster_open(struct roster **out, const struct endpoint *endpoint, const char *directory,
                const struct roster_kind *kind, const char *address, void *context);
/* Shows it, and begins to look. */
int roster_start(struct roster *roster);
/* Withdraws it, and stops looking; then calls left for all who are still there. May follow either of the two. */
void roster_close(struct roster *roster);

#endif
