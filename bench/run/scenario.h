/* What `ipcmark run` is asked for. */
#ifndef RUN_SCENARIO_H
#define RUN_SCENARIO_H

#include <stdbool.h>

#include <ipcmark/control.h>

enum { SCENARIO_MOST = 64 /* of either kind */, SCENARIO_THREADS = 64, SCENARIO_SIZES = 16, SCENARIO_FAULTS = 16 };

enum fault_kind { FAULT_KILL, FAULT_PAUSE };
enum fault_whom { WHOM_ANY, WHOM_PUBLISHER, WHOM_SUBSCRIBER };

/* Every so many seconds, one of these. */
struct fault {
    enum fault_kind kind;
    enum fault_whom whom;
    unsigned number; /* of its kind, from 1; 0: one of them, drawn each time */
    double every, lasts;
};

struct scenario {
    ipcmark_target target;
    unsigned publishers, subscribers, threads, parts;
    size_t sizes[SCENARIO_SIZES], sizes_count; /* of messages, in turn */
    double rate;                               /* of each thread; 0: as fast as publish returns */
    double seconds;
    struct fault faults[SCENARIO_FAULTS];
    size_t faults_count;
    bool judged; /* everyone writes down what it does, and the checker looks at that */
    bool json;
    uint64_t seed;
    const char *keep; /* where the evidence of what is not all right goes */
};

/* With journals, agents of others may say 0 of what only benchmarks look at. */
static inline bool scenario_keeps_figures(const struct scenario *self)
{
    return !self->judged || self->target.agent == NULL;
}

enum { EXIT_HOLDS = 0, EXIT_BROKEN = 1, EXIT_UNKNOWN = 2, EXIT_HARNESS = 3, EXIT_WRONG_USAGE = 64 };

extern const char options_help[];

/* 0: go on; else the exit code + 1: help or version have been printed, or on stderr what is wrong and what to do. */
int options_parse(struct scenario *, int argc, char **argv);
/* What only shows once the implementation has said what it can do: 0, or the exit code, said on stderr. */
int options_check(const struct scenario *, const ipcmark_implementation *);

#endif
