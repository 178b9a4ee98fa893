/* A subscriber: its pairs ("inlets", one a publisher), and who may touch what.
 *
 *   control thread   peers, handshakes; hands new inlets to the receiving side, tells it of hang-ups
 *   receiving side   callback mode: the data thread; pull mode: whoever holds receiving_turn, or its lock while nobody
 *                    does (pull_settled). Takes from the rings. An inlet is its own from the handing over until it says
 *                    that it has drained it.
 *   message holders  pull mode: any thread, through the inlet's lock */
#ifndef MMIPC_SUBSCRIBER_H
#define MMIPC_SUBSCRIBER_H

#include "directory.h"
#include "endpoint.h"
#include "ring.h"
#include "spin.h"
#include "thread.h"

/* Memory of the publisher's that the control thread has received and mapped, before the receiving side came across it.
 */
struct arrival {
    struct arrival *next; /* younger */
    bool is_ring;
    uint64_t name; /* of a payload file; key of a ring */
    unsigned char *base;
    uint64_t bytes;
};

/* Memory that is done with once everything below `end` has been freed. */
struct left_memory {
    struct left_memory *next; /* younger */
    bool is_ring;
    const unsigned char *base;
    uint64_t bytes, end;
};

struct payload {
    uint64_t name_plus_1;      /* 0: none */
    const unsigned char *base; /* untrusted, read-only */
    uint64_t bytes;
};

struct inlet {
    struct peer peer; /* first: the control thread knows inlets as peers */
    struct ring_reader ring;
    const struct writer_page *theirs; /* of the publisher's file: untrusted */
    struct reader_page *ours;         /* of our file */
    uint64_t freed;                   /* the tail that the publisher was last told */
    int wake_event;                   /* we wait on it; -1: nobody will wake us any more */
    int room_event;                   /* wakes the publisher */
    bool fence;                       /* the publisher cannot order our accesses for us */
    uint64_t roused;                  /* the publisher's sleep that we have already ended */
    bool condemned;                   /* the receiving side's: it wrote nonsense, nothing more is read */
    uint64_t drain_end;               /* the receiving side's: where to stop after the hang-up; 0: not yet set */
    struct payload *payloads;         /* the receiving side's: by place */
    unsigned generation;              /* of forks, when it was made */
    bool greeted;                     /* the control thread's: its HELLO was accepted */
    flag handed_over;                 /* the receiving side has it … */
    _Atomic int drained;              /* … and has given it back */
    int missing;                      /* -errno: why memory of the publisher's could not be taken; before hung_up */
    _Atomic int hung_up;              /* nothing more will be written */
    _Atomic uint64_t mapped;          /* bytes of the publisher's rings and payload files */

    pthread_mutex_t lock; /* of the rest; in pull mode of freed and roused, too */
    bool starved;         /* the next record refers to memory that is on its way; set by the receiving side alone */
    struct arrival *first_arrival, *last_arrival;
    unsigned arrivals;
    struct left_memory *oldest_left, *youngest_left;
    uint64_t passed;                       /* the position after the last record that was no message */
    bool closed;                           /* its events are gone; only the memory is left, for the messages' sake */
    int references;                        /* the control thread's and one a message */
    struct mmipc_message *oldest, *newest; /* taken and not yet all released */
};

struct mmipc_message {
    struct inlet *inlet;
    struct mmipc_message *next;
    uint64_t end; /* the position after it */
    bool released;
    size_t count;
    mmipc_part parts[];
};

struct mmipc_subscriber {
    struct endpoint endpoint;
    mmipc_message_fn *on_message; /* NULL: pull mode */
    void *user;
    struct directory_memory memory; /* control thread's */

    pthread_mutex_t handover; /* of the new inlets */
    struct inlet **added;
    size_t added_count, added_capacity;
    _Atomic int attention; /* look at added, at hang-ups, at closing */
    int attention_event;

    /* the receiving side's */
    struct turn receiving_turn;
    struct inlet **inlets;
    size_t inlet_count, inlet_capacity, next_inlet;
    uint64_t naps; /* counts sleeps up, twice each; also the value of asleep */
    bool announced;
    struct spin spin;
    int poller;      /* over the wake events; pull mode's descriptor */
    int ready_event; /* pull mode: keeps the descriptor readable while there are messages */
    bool ready_raised;
    flag descriptor_used;
    struct watch settled; /* pull mode: a timer, for one more look after the descriptor was armed */
    mmipc_part *parts;    /* callback mode: of the message being delivered */
    size_t parts_capacity;
    bool thread_running;
    pthread_t thread;
    bool finish_here; /* its own: close was called from on_message: the data thread does the rest */
};

extern const struct role subscriber_role;

/* inlet.c */
void inlet_unlock_or_free(struct inlet *inlet);
void inlet_condemn(struct mmipc_subscriber *subscriber, struct inlet *inlet, int error);

/* follow.c */
int inlet_arrived(struct inlet *inlet, const struct wire_message *message, int fd, bool *awaited); /* control thread */
int inlet_enter_first_ring(struct inlet *inlet);                                                   /* control thread */
/* The next message. 0: there is none. -EPROTO: the publisher wrote nonsense; -ENOMEM: its position is as before. */
int inlet_take(struct inlet *inlet, struct ring_record *out);
void inlet_fed(struct inlet *inlet); /* looks again for what it starved for */
bool inlet_settle(
    struct inlet *inlet); /* takes what is no message; true: a message is next, or what only inlet_take() can tell */
void inlet_unmap(struct inlet *inlet);                       /* all memory of the publisher's but its page */
void inlet_leave_behind(struct inlet *inlet, uint64_t tail); /* unmaps what nobody needs any more; as inlet_free_to */
uint64_t inlet_unread_at_most(struct inlet *inlet);          /* bytes that honest rings can hold */

/* receive.c: the receiving side */
void receive_look_up(struct mmipc_subscriber *subscriber); /* from any thread: something has changed */
bool receive_make_room(struct inlet ***array, size_t count, size_t *capacity); /* for one more; false: no memory */
void receive_adopt(struct mmipc_subscriber *subscriber); /* takes over new inlets, gives back drained ones */
bool receive_any_ready(const struct mmipc_subscriber *subscriber);
void receive_announce(struct mmipc_subscriber *subscriber); /* the publishers shall wake us … */
void receive_awake(struct mmipc_subscriber *subscriber);    /* … no longer */
void receive_clear(struct mmipc_subscriber *subscriber);    /* the publishers' wake-ups so far are dealt with */
/* Polls as long as it pays, and not past the deadline (-1: none); true: look again. */
bool receive_poll(struct mmipc_subscriber *subscriber, int64_t start_ns, int64_t deadline_ns);
void inlet_free_to(struct inlet *inlet, uint64_t tail); /* pull mode: with the lock held */

/* pull.c */
void pull_settled(struct endpoint *endpoint, struct watch *watch); /* control thread */

/* deliver.c: callback mode */
void *deliver_run(void *subscriber);

/* subscriber.c */
void subscriber_finish(struct mmipc_subscriber *subscriber);

#endif
