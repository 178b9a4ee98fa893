/* Reading ahead, while a handler waits in publish.
 *
 * Two processes that answer each other would lock up once the buffers both ways are full: each handler waits for the
 * other to read. So a publish that has to wait says so here, and if it was called by a handler, the reception thread of
 * that handler's subscriber takes over its input, into memory, until the wait is over. */
#ifndef COMMON_AHEAD_H
#define COMMON_AHEAD_H

#include "source.h"

/* The calling thread delivers for this subscriber; once, when it starts. */
void ahead_enter(struct subscriber *subscriber);

/* Around a wait, in any thread. */
void ahead_wait_begin(void);
void ahead_wait_end(void);

/* The reception thread: something came in while the handler waits. */
void ahead_read(struct subscriber *subscriber);

/* The delivery thread: moves what was read ahead into the source's reader. True if there was any. */
bool ahead_take(struct source *source, void *at, size_t room, size_t *taken);

#endif
