/* Filling a subscriber's backlog, whose limit nobody outside the implementation knows. */
#ifndef BACKLOG_H
#define BACKLOG_H

#include "stage.h"

/* Of each message that fills; for the clause's message_bytes. */
enum { BACKLOG_MESSAGE = 262144 };

typedef struct backlog {
    bool full;           /* publish waits, or failed, or its publisher counts fewer peers than before */
    bool waits;          /* the publish that is under way does not come back: see backlog_end() */
    uint64_t bytes;      /* that publish took until then */
    uint64_t failed;     /* messages that it refused */
    char last_error[32]; /* why; "" if the agent does not say */
    unsigned peers;      /* that the publisher counted before */
} backlog;

/* From now on its handler takes seconds for a message; no longer. A stopped process would read as little, but its heart
 * would not beat either. */
bool backlog_stall(stage *, actor *subscriber);
bool backlog_release(stage *, actor *subscriber);
/* How long the handler may still be busy after that. */
double backlog_handler_seconds(const stage *);

/* Publishes until the backlog is full, or `most` bytes were taken; where that is more than an eighth of the memory
 * that is available, and so much was not enough, the case is skipped. reader: one that reads and shall not be left
 * behind, where publish does not wait for it by itself; or NULL. False: it broke down, or publish waits that claims not
 * to: an objection (hung). */
bool backlog_fill(stage *, actor *publisher, actor *reader, uint64_t most, backlog *out);
/* Whether what waited then still does: to be asked just before what shall end it. */
bool backlog_waits(stage *, const actor *publisher);
/* Waits for what waits in publish, `seconds` (stretched) at most, and says how long it took. An objection (hung) if it
 * does not come back. */
bool backlog_end(stage *, actor *publisher, double seconds, double *took, const char *since);

#endif
