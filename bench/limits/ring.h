/* The bare ring: the least that a message through shared memory can cost when it is framed and checked as in the rows of
 * the real implementations. One producer, one consumer, nothing else: no lock, no fence, no system call, no sleeping
 * reader, no second subscriber. The distance to it is what an implementation pays for being more than that.
 *
 * A record is a 16-byte header and the message, at a multiple of 64 bytes; the commit word in its header is stored last.
 * The 4 MiB of data are mapped twice in a row, so that no record wraps. */
#ifndef BENCH_RING_H
#define BENCH_RING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <ipcmark/driver.h>

enum { RING_CAPACITY = 4 << 20 };

struct ring; /* one side of it */

/* Makes the memory of `count` rings, zeroed, as one descriptor (CLOEXEC), to be attached by both processes. */
int ring_memory_create(int *fd, unsigned count);

/* Attaches ring number `index` of the memory, as its producer or as its consumer. Ended by ring_detach(). */
int ring_attach(struct ring **out, int fd, unsigned index);
void ring_detach(struct ring *);

/* Called as a driver's publish is: by pointer, one message of one part. Waits while the ring is full; -ETIME if the
 * consumer does not move for a second (it is dead or has no CPU), -EMSGSIZE. */
int ring_publish(void *ring, const ipcmark_part *parts, size_t count);

/* Hands over the next message, if there is one, in place. Returns whether there was. */
bool ring_receive(struct ring *, ipcmark_deliver_fn *deliver, void *context);

#endif
