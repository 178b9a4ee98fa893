/* What a run has shown. */
#ifndef RUN_JUDGE_H
#define RUN_JUDGE_H

#include <ipcmark/checker.h>

#include "figures.h"

struct outcome {
    int code;        /* EXIT_…, or 128 + the signal that ended it */
    char text[1024]; /* why; "": there is nothing to say */
    char *detail;    /* lines: what happened around the first violation; NULL: nothing */
    bool judged;     /* the checker's; then: */
    struct ipcmark_judgement judgement;
    struct figures delays; /* from the call of publish to the handler */
    char evidence[4096];   /* the folder; "": none */
};

/* "holds", "FAILS", … */
const char *judge_word(const struct outcome *);
/* After ipcmark_trial_stop(). finished: the play came to its end. In `in_all` what was lost is counted again, where
 * that can be done exactly. */
void judge_run(struct outcome *, const struct crew *, bool finished, struct figures *in_all);
void judge_release(struct outcome *);

#endif
