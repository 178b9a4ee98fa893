/* What an endpoint knows about the slot files of its directory. */
#ifndef MMIPC_DIRECTORY_H
#define MMIPC_DIRECTORY_H

#include "endpoint.h"

struct known {
    unsigned char id[ID_BYTES];
    bool seen; /* in this scan */
};

/* Slots that need no second look: of another channel, another role, another user, our own process. */
struct directory_memory {
    struct known *known;
    size_t count, capacity;
    size_t turn;                  /* of those that are looked at again for owners that died */
    const char *hindrance, *said; /* in this scan, and what was last said of it; NULL: none */
};

void directory_ignore(struct directory_memory *memory, const unsigned char *id);
void directory_forget(struct directory_memory *memory);

/* Called while scanning: why somebody who may be a peer is left out. It is logged, once for as long as it lasts. */
void directory_hinder(struct directory_memory *memory, const char *why);

/* Looks at every slot file but our own and those for which skip() says so (NULL: none); removes what dead owners left.
 * Calls found() for each waiting subscriber of our channel. whole: looks again at ignored ones, some at a time, for
 * owners that died. */
void directory_scan(struct endpoint *endpoint, struct directory_memory *memory, bool whole,
                    bool (*skip)(struct endpoint *endpoint, const unsigned char *id),
                    void (*found)(struct endpoint *endpoint, const unsigned char *id));

#endif
