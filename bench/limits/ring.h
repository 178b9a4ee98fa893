/* The bare ring: the least that a message through shared memory can cost when it is framed and checked as in the rows
 * of the real implementations. One producer, one consumer, nothing else: no lock, no fence, no system call, no sleeping
 * reader, no second subscriber. The distance to it is what an implementation pays for being more than that.
 *
 * A record is a 16-byte header and the message, at a multiple of 64 bytes; the commit word in its header is stored
 * last. The data, 4 MiB but for messages that need more, are mapped twice in a row, so that no record wraps. */
#ifndef BENCH_RING_H
#define BENCH_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <ipcmark/driver.h>

enum { RING_CAPACITY = 4 << 20, RING_MESSAGE_MOST = 1 << 28 };

struct ring; /* one side of it */

/* Makes the memory of a ring, zeroed, as a descriptor (CLOEXEC) that both processes attach. It holds RING_CAPACITY
 * bytes, or as many more as two messages of that size take: while one is read the next one can be written. -EMSGSIZE:
 * beyond RING_MESSAGE_MOST. */
int ring_memory_create(int *fd, size_t message_bytes);

/* As its producer or as its consumer. Ended by ring_detach(), NULL allowed. The descriptor stays the caller's. */
int ring_attach(struct ring **out, int fd);
void ring_detach(struct ring *);

/* One message. Waits while the ring is full; -ETIMEDOUT if the consumer does not move for a second (it is dead or has
 * no CPU), -EMSGSIZE. */
int ring_publish(struct ring *, const void *data, size_t size);

/* Hands over the next message, if there is one, in place. Returns whether there was. */
bool ring_receive(struct ring *, ipcmark_deliver_fn *deliver, void *context);

/* The consumer's thread: hands over whatever comes, polling, until it is to stop. A reader that has caught up and looks
 * again at once takes the line away from the writer for every message; for a stream's sake it lets some time go by
 * (`gather`), for one way's sake it does not. */
void ring_serve(struct ring *, bool gather, ipcmark_deliver_fn *deliver, void *context, const atomic_bool *stopping);

/* For a consumer that sleeps while the ring is empty, and a producer that wakes it, each time, by a futex. The consumer
 * takes the count of wake-ups, looks once more, and sleeps unless the count has changed. */
unsigned ring_wakes(const struct ring *);
void ring_sleep(struct ring *, unsigned wakes);
void ring_wake(struct ring *);

#endif
