/* What the plays of ENV share in which something runs out: a pair that goes on meanwhile, and what is refused. */
#ifndef SCARCITY_H
#define SCARCITY_H

#include "stage.h"

enum { SCARCITY_PING_MS = 200 };

extern const ipcmark_publish_options scarcity_some;

/* What was not granted while it was hard. Where everything was, nobody has shown how it takes a refusal. */
typedef struct {
    unsigned opens;
    uint64_t publishes;
} refusals;

/* Everyone to everyone. */
bool scarcity_passes(stage *);
bool scarcity_try_open(stage *, actor *, refusals *);
/* From publisher 1 to subscriber 1, which were connected when there was enough of everything. No drain: if they are so
 * no longer, the rest is not owed, and the checker says what was. But there is time for it to arrive while it is hard.
 */
bool scarcity_pair_passes(stage *, const ipcmark_publish_options *, bool stopped, refusals *);
/* A pair that is given up for want of something is not one that was lost without a reason; but it must say so. */
bool scarcity_declare(stage *, bool begins);
/* The last step of a play: what was seen is judged, but nobody passes by it who needs nothing of what there was not. */
bool scarcity_was_refused(stage *, const refusals *, const char *what);

#endif
