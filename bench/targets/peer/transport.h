/* A way to get messages from one process into another: libmmipc, or what it is compared with. All are called through
 * these pointers, which the compiler cannot see through, and all hand each message to a handler on a thread that does
 * nothing else. */
#ifndef TARGETS_TRANSPORT_H
#define TARGETS_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

typedef void message_handler(void *user, const void *data, size_t size);

struct place {
    const char *directory, *name; /* where the two sides meet: a private directory, a name in it */
    size_t message_bytes;         /* the size of every message */
    bool gather;                  /* bare ring: the reader pauses once it has caught up, for a stream's sake */
    int spin_us;                  /* mmipc's option; 0: its default */
    unsigned peers;               /* sender: until so many receivers are there */
};

/* Each: 0 or -errno. A receiver is there when open returns; a sender opens after that, and is connected then. */
struct transport {
    const char *name;
    int (*receiver_open)(void **out, const struct place *, message_handler *, void *user);
    void (*receiver_close)(void *); /* no handler runs any more when it returns; leaves no file */
    int (*sender_open)(void **out, const struct place *);
    int (*send)(void *, const void *data, size_t size);
    void (*sender_close)(void *);
};

extern const struct transport transport_mmipc, transport_ring, transport_fifo, transport_unix, transport_tcp;

const struct transport *transport_find(const char *name); /* NULL: there is none */

/* "directory/name"; -ENAMETOOLONG */
int place_path(char *path, size_t path_size, const struct place *);

#endif
