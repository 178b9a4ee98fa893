/* Participants without privileges: what may not be read, written or exceeded must be so for them, too, when the suite
 * itself may do anything. */
#ifndef ORDINARY_H
#define ORDINARY_H

#include "stage.h"

enum { ORDINARY_WRAP = 4096 };

/* For wraps of participants, see actor.wrap: it takes privileges away, and is empty where there are none. */
typedef struct ordinary {
    unsigned user; /* that the participants are; 0: that of the suite */
    char wrap[ORDINARY_WRAP];
} ordinary;

/* Finds out how, and hands the trial's folders to who needs them; else the play is skipped. */
bool ordinary_make(stage *, ordinary *);
/* Whether participants can be started behind this wrap. */
bool ordinary_starts(stage *, const char *wrap);
/* Skips the play for this reason, or for what the agent's command is to blame for. Always false. */
bool ordinary_skip(stage *, const char *why);
/* Names the actors, not yet started, and gives each this wrap. It must live as long as they are played with. */
void ordinary_cast(stage *, const ordinary *, unsigned publishers, unsigned subscribers);
/* Starts, opens and settles them. */
bool ordinary_begin(stage *, const ordinary *, unsigned publishers, unsigned subscribers);

/* Opens it, or is told by a definite error why that cannot be; a crash, a hang or another answer is an objection. */
bool ordinary_try_open(stage *, actor *);

#endif
