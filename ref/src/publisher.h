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
#include "ring.h"
#include "spin.h"
#include "thread.h"

struct outlet {
    struct peer peer; /* first: the control thread knows outlets as peers */
    struct ring_writer ring;
    struct segment_header *header; /* of our file, with the ring behind it */
    const struct reader_page *page; /* of the subscriber's file: untrusted */
    int room_event;                 /* we wait on it; -1: nobody will wake us any more */
    int wake_event;                 /* wakes the subscriber */
    int memory;                     /* descriptor of our file until it was sent; -1 */
    bool fence;                     /* the subscriber cannot order our accesses for us */
    bool listed;                    /* on the publisher's list; inside the gate */
    int waiters;                    /* threads that wait for it outside the gate; inside the gate */
    uint64_t roused;                /* the sleep that we have already ended; inside the gate */
    flag gone;                      /* nothing is written to it any more; changes inside the gate */
    flag suspended;                 /* its process is stopped: no publish may wait for it */

    pthread_mutex_t wait_lock; /* of the rest: threads that wait for room, or for a flush */
    pthread_cond_t woken;
    bool has_sleeper; /* one of them sleeps on room_event */
    uint64_t nearest; /* the lowest target of all that wait */
    uint64_t sleeps;  /* counts sleeps up, twice each; the sleeper's, as is spin */
    struct spin spin;
};

struct mmipc_publisher {
    struct endpoint endpoint;
    size_t ring_bytes;
    struct gate gate;
    struct outlet **outlets; /* the list: connected pairs; inside the gate */
    size_t outlet_count, outlet_capacity;
    struct nudge nudge; /* of the threads that wait */
    struct directory_memory memory; /* control thread's, as is the next */
    int64_t retry_ns;               /* how long until a subscriber that could not take us is tried again */
};

extern const struct role publisher_role; /* outlet.c */

#endif
