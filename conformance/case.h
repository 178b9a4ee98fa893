/* One clause on one implementation: played, judged, cleaned up. */
#ifndef CASE_H
#define CASE_H

#include "ipcmark/control.h"
#include "result.h"

typedef struct case_options {
    ipcmark_target target;
    const ipcmark_implementation *implementation; /* as ipcmark_probe() found it */
    const char *name;                             /* of the implementation, for the report */
    uint64_t seed;                                /* replays the schedule */
    effort effort;
    const char *keep; /* a folder for the evidence, which does not exist yet; NULL: keep none */
    bool keep_passed; /* keep that of a case that passed, too */
    void *context;    /* for the play, as stage.context */
} case_options;

/* Sets everything in *out but replay. Returns false when interrupted: then there is no result. */
bool case_run(result *out, ipcmark_session *, const clause *, const case_options *);

#endif
