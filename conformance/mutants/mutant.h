/* A driver that is wrong on purpose: a right driver with one fault put in, to show that the suite catches it.
 *
 * A mutant is one file: what it does wrong, and which clauses must see it.
 *
 *     static int drop(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
 *     {
 *         return mutant_turn(endpoint) % 97 == 0 ? 0 : mutant_publish(endpoint, parts, count);
 *     }
 *     MUTANT(.name = "drop", .fault = "…", .class_name = "lost", .must_fail = "DEL-001 DEL-002", .publish = drop)
 *
 * Everything without a hook goes to the base driver unchanged: its own, else the one that the environment variable
 * IPCMARK_MUTANT_BASE names, else mmipc. The mutant claims the base's capabilities. */
#ifndef MUTANT_H
#define MUTANT_H

#include "ipcmark/driver.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* A publisher or a subscriber of the base driver, wrapped. */
typedef struct mutant_endpoint {
    void *inner;
    bool subscriber;
    ipcmark_deliver_fn *deliver;
    void *context;
    ipcmark_peer_fn *on_peer;
    void *peer_context;
    atomic_uint_fast64_t turn;
    _Atomic(void *) state; /* the mutant's own, freed with free() at close */
    char *channel, *directory;
    struct mutant_endpoint *next; /* see mutant_endpoints */
} mutant_endpoint;

typedef struct mutant {
    const char *name;
    const char *fault; /* a sentence: what is wrong */
    const char
        *class_name;       /* of the violation, as in results/FORMAT.md; several with spaces between are alternatives */
    const char *may_class; /* what else it may look like to the clauses of may_fail; or NULL */
    const char *must_fail; /* clause ids with spaces between */
    const char *may_fail;  /* likewise, globs allowed: clauses that may or may not see it, as measured; `*` where the
                            * fault is in any message or any open, and so any clause may come upon it */
    uint64_t needs;        /* capabilities of the base without which the fault cannot be put in */
    const char *base;      /* "NAME?key=value": what it is made of, whatever the environment names; or NULL */

    /* Before an endpoint of the base is opened. An error ends the open. */
    int (*before_open)(mutant_endpoint *, const ipcmark_endpoint *);
    /* Then: what the base is told instead. Strings that it puts in must live until the endpoint is closed. */
    void (*change_open)(mutant_endpoint *, ipcmark_endpoint *);
    /* After that, whether it succeeded or not; not if before_open failed. */
    void (*after_open)(mutant_endpoint *);
    int (*publish)(mutant_endpoint *, const ipcmark_part *parts, size_t count);
    void (*deliver)(mutant_endpoint *, const ipcmark_part *parts, size_t count);
    int (*peers)(mutant_endpoint *, int count);
    void (*peer_event)(mutant_endpoint *, const char *peer, int connected);
    /* Around the close of the base; around nothing where its open failed, after before_open had succeeded. */
    void (*before_close)(mutant_endpoint *);
    void (*after_close)(mutant_endpoint *);
} mutant;

#define MUTANT(...) const mutant mutant_self = {__VA_ARGS__};
extern const mutant mutant_self;

/* What the self-test reads from the shared object. */
#define MUTANT_SYMBOL "ipcmark_mutant_get"
typedef const mutant *mutant_get_fn(void);

/* What the base driver would have done. */
int mutant_publish(mutant_endpoint *, const ipcmark_part *parts, size_t count);
void mutant_deliver(mutant_endpoint *, const ipcmark_part *parts, size_t count);
void mutant_peer_event(mutant_endpoint *, const char *peer, int connected);

/* CLOCK_MONOTONIC. */
static inline uint64_t mutant_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint64_t mutant_now_ms(void)
{
    return mutant_now_ns() / 1000000u;
}

/* How many peers the base counts. */
int mutant_peers(mutant_endpoint *);

/* 1 for the first call on this endpoint, 2 for the second, … */
uint64_t mutant_turn(mutant_endpoint *);

/* The open endpoints of this process, latest first, and the lock of the list. One is in it from when it is open until
 * its close begins. */
extern pthread_mutex_t mutant_lock;
extern mutant_endpoint *mutant_endpoints;
bool mutant_same_channel(const mutant_endpoint *, const mutant_endpoint *); /* and directory */
/* Whether no other one of its kind and channel has been open in this process for longer. */
bool mutant_is_first(mutant_endpoint *);

/* Zeroed memory that all processes of a case share, for what an endpoint cannot know of others; the same for each call
 * with this directory. NULL on failure. */
void *mutant_share(const char *directory, size_t size);

/* A copy of a message in one allocation, to be freed with free(); NULL when memory is out. */
typedef struct mutant_copy {
    size_t count;
    ipcmark_part *parts; /* writable copies: (void *)parts[i].data may be changed */
} mutant_copy;
mutant_copy *mutant_copy_message(const ipcmark_part *parts, size_t count);

#endif
