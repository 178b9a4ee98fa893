/* A publisher: its pairs ("outlets", one a subscriber), and who may touch what.
 *
 *   control thread   peers, handshakes; puts outlets on the list and takes them off, through the gate
 *   publishing       whoever is inside the gate: writes to every outlet on the list
 *   waiting          outside the gate: threads that wait until an outlet has room or was read */
#ifndef MMIPC_PUBLISHER_H
#define MMIPC_PUBLISHER_H

#include "directory.h"
#include "endpoint.h"
#include "gate.h"
#include "nudge.h"
#include "pool.h"
#include "ring.h"
#include "spin.h"
#include "thread.h"

enum { FIRST_RETRY_NS = 5000000 }; /* of retry_ns, for a subscriber that could not take us just now */

/* A ring that the publisher has left for the next of the chain. */
struct left_ring {
    struct left_ring *next; /* younger */
    unsigned char *data;
    uint64_t size, end; /* the position after it: its memory is free when the tail is there */
};

/* A record that is perhaps unread and refers to payload. */
struct debt {
    uint64_t end; /* the position after the record */
    uint64_t bytes;
    struct block *block;
};

struct outlet {
    struct peer peer; /* first: the control thread knows outlets as peers */
    struct ring_writer ring;
    struct writer_page *ours;         /* of our file */
    const struct reader_page *theirs; /* of the subscriber's file: untrusted */
    int room_event;                   /* we wait on it; -1: nobody will wake us any more */
    int wake_event;                   /* wakes the subscriber */
    bool fence;                       /* the subscriber cannot order our accesses for us */
    bool listed;                      /* on the publisher's list; inside the gate */
    bool counted;                     /* its rings are in the publisher's ring_bytes; inside the gate */
    int waiters;                      /* threads that wait for it outside the gate; inside the gate */
    uint64_t roused;                  /* the sleep that we have already ended; inside the gate */
    flag gone;                        /* nothing is written to it any more; changes inside the gate */
    flag suspended;                   /* its process is stopped: no publish may wait for it */

    struct left_ring *oldest, *youngest; /* inside the gate, as are those up to rested */
    struct debt *debts;                  /* a queue, in the order of their ends */
    size_t debt_first, debt_count, debt_capacity;
    uint64_t owed;                       /* bytes of all debts */
    uint64_t ring_limit;                 /* of the ring, were nothing owed */
    uint64_t messages_end, specials_end; /* position after the last message, if nothing but specials came after it */
    bool delivers;                       /* the subscriber has a thread that takes records as they come */
    uint64_t *known_files;               /* names of the payload files that it has, by place */
    uint64_t rested_head;                /* at the last tick */
    int rested;                          /* ticks in a row that found little use for so large a ring */

    pthread_mutex_t wait_lock; /* of the rest: threads that wait for room, or for a flush */
    pthread_cond_t woken;
    bool has_sleeper; /* one of them sleeps on room_event */
    uint64_t nearest; /* the lowest target of all that wait */
    uint64_t sleeps;  /* counts sleeps up, twice each; the sleeper's, as is spin */
    struct spin spin;
};

struct mmipc_publisher {
    struct endpoint endpoint;
    size_t first_ring_bytes, first_limit, max_backlog, max_total; /* as the options say, or the defaults */
    struct gate gate;
    struct outlet **outlets; /* the list: connected pairs; inside the gate, as are the next three */
    size_t outlet_count, outlet_capacity;
    struct pool pool;
    size_t ring_bytes;              /* of all rings of all pairs, dropped ones that still have them included */
    size_t retired;                 /* dropped pairs that still owe */
    flag swollen;                   /* there is memory that chain_tick() may be able to give back */
    struct nudge nudge;             /* of the threads that wait */
    struct directory_memory memory; /* control thread's, as is the next */
    int64_t retry_ns;               /* how long until a subscriber that could not take us is tried again */
};

/* publish.c; inside the gate */
void publisher_condemn(struct mmipc_publisher *publisher, struct outlet *outlet,
                       int reason);          /* nothing more is written to it */
void publisher_rouse(struct outlet *outlet); /* after a commit: wakes the subscriber if it sleeps */

/* chain.c: the memory of a pair. Inside the gate, but for opening and closing. */
enum { SMALLEST_RING_BYTES = 64 << 10, COMFORTABLE_BYTES = 4 << 20 };
int chain_open(struct outlet *outlet, size_t ring_bytes, size_t limit,
               int fds[2]); /* page and ring, to be sent and closed */
void chain_close(struct outlet *outlet);
size_t chain_ring_bytes(const struct outlet *outlet);
int chain_extend(struct mmipc_publisher *publisher, struct outlet *outlet, uint64_t bytes); /* another, larger ring */
int chain_look(struct mmipc_publisher *publisher, struct outlet *outlet); /* at the tail: takes back what was read */
uint64_t chain_messages_end(const struct outlet *outlet); /* head, but for records that are no messages */
/* The tail from which on chain_extend() may succeed; UINT64_MAX: there is but one ring. */
uint64_t chain_target(const struct mmipc_publisher *publisher, const struct outlet *outlet, uint64_t bytes);
uint64_t chain_owed_above(const struct outlet *outlet, uint64_t tail); /* payload that is unread if that is the tail */
int chain_may_owe(struct mmipc_publisher *publisher, struct outlet *outlet, uint64_t bytes); /* -ENOBUFS: too much */
int chain_prepare_reference(struct outlet *outlet, const struct block *block); /* makes sure that one can be written */
/* charge: bytes of the backlog that it takes */
void chain_refer(const struct mmipc_publisher *publisher, struct outlet *outlet, struct block *block, size_t count,
                 uint64_t bytes, uint64_t charge);
void chain_forgive(struct mmipc_publisher *publisher,
                   struct outlet *outlet);          /* it is gone: all it owes is free again */
void chain_trim(struct mmipc_publisher *publisher); /* gives back all payload memory that nobody uses just now */
void chain_tick(struct mmipc_publisher *publisher); /* control thread: gives back memory that is not needed any more */

/* room.c: waiting for subscribers */
enum shortage { SHORT_OF_NOTHING, SHORT_OF_RING, SHORT_OF_BACKLOG, SHORT_OF_MAIL };
struct need {
    uint64_t bytes;            /* of the record */
    const struct block *block; /* payload that it refers to; NULL: none */
    uint64_t charge;           /* bytes of the backlog that it takes */
};
int room_reserve(struct mmipc_publisher *publisher, const struct need *need);
int room_take_block(struct mmipc_publisher *publisher, size_t bytes, struct block **out);

extern const struct role publisher_role; /* outlet.c */

#endif
