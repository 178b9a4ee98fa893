/* A run of the benchmark. */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include <cjson/cJSON.h>
#include <ipcmark/runfile.h>

#include "options.h"
#include "plan.h"
#include "progress.h"
#include "session.h"
#include "tally.h"

struct bench_run {
    struct options options;
    struct plan plan;
    unsigned blocks; /* of the whole run: as asked for, or as a budget allows */
    struct tally tally;
    struct progress progress;
    struct session session;
    size_t done_before; /* cells of earlier sessions */
    struct ipcmark_runfile *file;
    cJSON *drivers; /* what they say of themselves */
    int write_error;
};

/* Says what failed; 3, the exit code. */
int run_complain(const char *what, int error);

/* Whether what the file holds already is let alone: hours of an interrupted run are not lost to a command that was
 * typed again. 0, or the exit code, everything said. */
int run_keep_earlier(const struct options *);

/* Opens the file, or goes on with it: what it holds goes into the tally. Begins the session. Likewise. */
int run_open_file(struct bench_run *);

#endif
