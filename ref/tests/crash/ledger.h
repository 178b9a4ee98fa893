/* Memory that the runner shares with all actors: what each of them did and saw, and what they are to do next. It
 * survives whoever is killed. Nobody polls it: each change wakes all who wait. */
#ifndef LEDGER_H
#define LEDGER_H

#include "reach.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Who takes part. The second of each is the victim where that role's turn it is. */
enum { FIRST_PUBLISHER, SECOND_PUBLISHER, FIRST_SUBSCRIBER, SECOND_SUBSCRIBER, NEW_PUBLISHER, NEW_SUBSCRIBER, ACTORS };
enum { SEATS = 2 }; /* endpoints of an actor: a subscriber has one that calls back and one that pulls */

/* What an endpoint was told of an actor. */
struct pairing {
    _Atomic int connected, disconnected, suspended, resumed;
    _Atomic int reason; /* of the last disconnection */
};

/* What a subscriber's endpoint got from a publisher. */
struct stream {
    _Atomic long first, next; /* numbers of messages; first is -1 as long as nothing came */
};

struct seat {
    struct pairing pairings[ACTORS];
    struct stream streams[ACTORS];
};

struct part { /* of an actor in the play */
    _Atomic int pid;
    _Atomic int ready;             /* it is connected to all that it was told to wait for */
    _Atomic int done;              /* with its life; it goes on with rounds */
    _Atomic int rounds;            /* of messages, published on request */
    _Atomic int hold;              /* a publisher's: subscribers take nothing */
    _Atomic int leave;             /* the runner's: close and exit */
    _Atomic long begun, committed; /* messages: publishing began, publishing returned 0 */
    _Atomic int complained;
    char complaint[240];
    struct seat seats[SEATS];
};

struct ledger {
    _Atomic unsigned changes;
    _Atomic int begin;  /* the runner's: lives may begin */
    _Atomic int rounds; /* the runner's: of messages that every publisher shall have published */
    struct part parts[ACTORS];
    struct point_tracks tracks; /* of the victim */
};

struct ledger *ledger_create(int *fd); /* aborts on failure, as do the others */
struct ledger *ledger_join(int fd);
void ledger_changed(struct ledger *ledger);
void ledger_set(struct ledger *ledger, _Atomic int *what, int value);

/* Until `is_true`; false: not within `timeout_ms`. */
bool ledger_await(struct ledger *ledger, bool (*is_true)(void *context), void *context, int timeout_ms);

/* The first complaint of an actor stands. */
void ledger_complain(struct ledger *ledger, int actor, const char *format, ...) __attribute__((format(printf, 3, 4)));

extern const char *const actor_names[ACTORS];
bool actor_publishes(int actor);

#endif
