/* What a clause is played on: participants with one endpoint each, on top of the coordinator.
 *
 * A play is a list of steps, each of which is false when it did not come about; then the play returns false. What went
 * wrong is in the trial's history by then, and the verdict comes from there; if nothing is, it is unknown. */
#ifndef STAGE_H
#define STAGE_H

#include <stdio.h>

#include "clause.h"
#include "ipcmark/control.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

enum {
    STAGE_MOST = 16,
    STAGE_VIGILS = 1024,
    /* Twice that without a sign of life is death to some. Sixteen processes that fight for two processors must not fall
     * under it. */
    STAGE_PING_MS = 1000
};

/* A publisher or subscriber, in a process of its own unless it has a host. Set what is marked * between
 * stage_cast_closed() or stage_cast_bare() and stage_open(). */
typedef struct actor {
    ipcmark_participant *participant; /* NULL: none, or dead */
    struct actor *host;               /* * lives in that one's process; NULL: in its own */
    const char *channel, *directory;  /* * NULL: those of everybody */
    unsigned ping_interval_ms;        /* * 0: STAGE_PING_MS */
    const char *wrap;                 /* * put before the command of its process; NULL: nothing */
    uint16_t endpoint;                /* 0: never opened */
    uint16_t epoch;                   /* of the endpoint: 1, 2, …; 0: never opened */
    bool subscriber, open, paused;
    bool killed;           /* and not opened since */
    unsigned life;         /* of the process: 1, 2, … */
    char name[16];         /* "publisher 3" */
    ipcmark_call *traffic; /* its publish that is under way, or NULL */
    /* Of this life of the endpoint: since when it opens, opened, last found connected to all; or 0. */
    uint64_t opening_ns, open_ns, settled_ns;
} actor;

/* A drain of a publisher that has closed or died. */
typedef struct stage_vigil {
    ipcmark_call *call;
    const actor *subscriber;
    bool owed; /* it must succeed: what a publisher did not hand over before it was killed is not always owed */
} stage_vigil;

typedef struct stage {
    ipcmark_session *session;
    ipcmark_trial *trial;
    const clause *clause;
    const ipcmark_implementation *implementation;
    effort effort;
    void *context; /* of the play's own, until its end */
    /* Of the play's own, for its examine: since when, until when, and who. */
    uint64_t from_ns, until_ns;
    actor *subject;
    uint64_t random;                    /* state of stage_random() */
    FILE *schedule;                     /* schedule.txt in the trial's folder */
    uint64_t start_ns, end_ns;          /* of the play */
    struct ipcmark_expectation demands; /* coverage that the play asks of itself */
    actor publishers[STAGE_MOST], subscribers[STAGE_MOST];
    size_t publisher_count, subscriber_count;
    /* The latest death that no count has shown yet; and until when a right count may be one with a dead one in it and a
     * new one missing, because somebody opened after such a death. Until when it may be an old one for other reasons,
     * which the play knows. */
    uint64_t buried_ns, replaced_ns, ambiguous_ns;
    /* Drains of publishers that have closed or died: begun before they open again, awaited at the next drain. */
    stage_vigil vigils[STAGE_VIGILS];
    size_t vigil_count;
    cJSON *figures; /* or NULL */
    char *skip;     /* why this cannot be played here, or NULL */
} stage;

/* The next number from the case's seed; below `limit`. */
uint64_t stage_random(stage *, uint64_t limit);
/* A line in the schedule, with its time. */
void stage_log(stage *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What the play saw itself, into the history. class NONE: an error of the harness. Always false. */
bool stage_object(stage *, enum ipcmark_class, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* What the harness cannot do with its process: an error, unless it has ended of itself, which the history says. Always
 * false. */
bool stage_unable(stage *, const actor *who, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* An objection, where it rests on something else than others of its class: see ipcmark/history.h. */
bool stage_object_with(stage *, enum ipcmark_class, enum ipcmark_proof, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* usual; in a quick run quick, in a thorough one ten times the usual. */
unsigned stage_either(const stage *, unsigned usual, unsigned quick);
unsigned stage_amount(const stage *, unsigned usual, unsigned quick, unsigned thorough);
/* A figure for the report, beside the verdict: ("found after", 0.0123, "s"). */
void stage_figure(stage *, const char *name, double value, const char *unit);
/* What this machine does not allow to be played: the case is skipped. Always false. */
bool stage_skip(stage *, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool stage_claims(const stage *, uint64_t capabilities);
/* How long it may take on this machine until a death or a stop is known to all: who hears of it by silence only may
 * take three ping intervals, and what CON-007 grants on top. */
uint64_t stage_settling_ns(const stage *);

/* Awaits a call. A refusal is an objection of this class. */
bool stage_await(stage *, ipcmark_call *, enum ipcmark_class);

/* Whether messages of the one reach the other, once both are open: same channel and directory, and not one process. */
bool stage_meets(const stage *, const actor *publisher, const actor *subscriber);
/* How many open ones of the other kind meet it. */
unsigned stage_count_peers(stage *, const actor *);

/* Starts a process for the actor (its host's, if it has one), opens its endpoint (again: in its next epoch), closes it.
 */
bool stage_start(stage *, actor *);
bool stage_open(stage *, actor *);
/* The same in two steps, for several that open at the same moment. */
ipcmark_call *stage_open_begin(stage *, actor *);
bool stage_open_end(stage *, actor *, ipcmark_call *);
bool stage_close(stage *, actor *);
/* As stage_close; and it must not have taken longer than `seconds`. */
bool stage_close_within(stage *, actor *, double seconds, const char *circumstances);
/* SIGKILL, and waits until it is gone; so are those who live in the same process. */
bool stage_kill(stage *, actor *);
/* After the actor killed itself. */
bool stage_buried(stage *, actor *);
/* The actor is about to be held up or closed: what publishers that have gone got rid of before is no longer owed to it,
 * and nor is what it got rid of itself, until everyone is found to be connected again. */
void stage_excuse(stage *, actor *);
bool stage_pause(stage *, actor *);
bool stage_resume(stage *, actor *);

/* The usual beginning: so many publishers and subscribers, started, opened and settled. */
bool stage_cast(stage *, unsigned publishers, unsigned subscribers);
/* Starts processes only. */
bool stage_cast_closed(stage *, unsigned publishers, unsigned subscribers);
/* Names them only, for plays that set hosts or wraps before they start them. */
void stage_cast_bare(stage *, unsigned publishers, unsigned subscribers);
/* The processes of all who have none. */
bool stage_start_all(stage *);
/* All actors that are not open, at the same moment. */
bool stage_open_all(stage *);
bool stage_close_all(stage *);
/* Waits until every open endpoint counts exactly those of the other kind; where counts are not claimed, until a probe
 * of every publisher has reached every subscriber that it meets. */
bool stage_settle(stage *);

/* Begins a publish at one publisher; at all open ones, at the same moment. */
bool stage_publish_begin(stage *, actor *, const ipcmark_publish_options *);
bool stage_publish_begin_all(stage *, const ipcmark_publish_options *);
/* Ends it, at one, at all. A publisher that was killed meanwhile is no objection. */
bool stage_publish_end(stage *, actor *);
bool stage_publish_end_all(stage *);
/* Begin and end. */
bool stage_publish(stage *, actor *, const ipcmark_publish_options *);
bool stage_publish_all(stage *, const ipcmark_publish_options *);

/* A number of its stats, at this moment: a publisher's "published", a subscriber's "received". False: it broke down. */
bool stage_count(stage *, const actor *, const char *name, uint64_t *out);

/* A sentinel of every open publisher; then every open subscriber must have everything of all publishers that ever were.
 */
bool stage_drain(stage *);
/* One subscriber, without a sentinel: the last message must arrive with nothing behind it. */
bool stage_drain_last(stage *, actor *subscriber, actor *publisher, double timeout_seconds);
/* The end of every fault phase: resumes and restarts everyone, settles, drains, then passes fresh messages on each
 * pair. */
bool stage_recover(stage *);

/* For loops over all actors. */
actor *stage_actor(stage *, size_t index); /* publishers first; NULL behind the last */

/* ---- for examine --------------------------------------------------------------------------------------------------
 */

/* Objects (late) if a message that was invoked between stage.from_ns and stage.until_ns took longer than `seconds`
 * (stretched) to reach the subscriber, and neither end was stopped meanwhile; `while_` says what was going on: "while
 * subscriber 1 was stopped". Returns the longest that any took, in seconds. */
double stage_examine_delays(stage *, const struct ipcmark_history *, const actor *subscriber, double seconds,
                            const char *while_);

#endif
