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
    size_t turn; /* of those that are looked at again for owners that died */
};

void directory_ignore(struct directory_memory *memory, const unsigned char *id);
void directory_forget(struct directory_memory *memory);

/* Looks at every slot file but our own and those for which skip() says so; removes what dead owners left. Calls found()
 * for each waiting subscriber of our channel. whole: looks again at ignored ones,
 * some at a time, for owners that died. */
void directory_scan(struct endpoint *endpoint, struct directory_memory *memory, bool whole,
                    bool (*skip)(struct endpoint *endpoint, const unsigned char *id),
                    void (*found)(struct endpoint *endpoint, const unsigned char *id));

#endif
