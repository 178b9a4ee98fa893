/* What an actor does from its start to its end; the same whether it is the victim or a survivor. */
#ifndef LIFE_H
#define LIFE_H

#include "ledger.h"
#include "mmipc/mmipc.h"

struct life {
    struct ledger *ledger;
    struct part *part; /* its own in the ledger */
    int me;
    int peers; /* endpoints on the other side that it waits for before it is ready */
    bool is_victim;
    const char *directory;
    const char *stale; /* another directory, in which dead endpoints left files */
    int descriptors;   /* open before its first endpoint was opened */
};

/* What a close must not wait for would not end before this; that it takes a second at most is for a calm machine. */
enum { LIFE_CONNECT_MS = 10000, LIFE_LONGEST_CLOSE_MS = 10000 };
extern const char LIFE_CHANNEL[];
extern const char LIFE_MISSING[]; /* a directory to be made; behind the path of the one that there is */

/* life.c. "--actor …" in argv: lives, and never returns. */
void life_main(int argc, char **argv);
void life_options(const struct life *life, int seat, mmipc_options *options);
void life_complain(const struct life *life, const char *what, int error); /* error: 0 or -errno */
void life_await(const struct life *life,
                _Atomic int *what); /* until it is not 0, for ever: the runner ends us at need */
/* Until `times` endpoints of each of the two are connected: if we were stopped, newcomers may have been before them. */
int life_await_first(const struct life *life, int seat, int one, int other, int times);
int64_t life_now_ms(void);
void life_closed(const struct life *life, int64_t began_ms); /* a close ended: was it in time? */

void publisher_live(const struct life *life);
void subscriber_live(const struct life *life);

/* Names of messages, for pattern.h: who published it, and as which. */
static inline uint64_t message_name(int actor, long number)
{
    return (uint64_t)actor << 48 | (uint64_t)number;
}

static inline uint64_t message_part_name(uint64_t name, size_t part)
{
    return name | (uint64_t)part << 40;
}

#endif
