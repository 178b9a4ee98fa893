/* What came out of a case, and what a run of many cases comes to. */
#ifndef RESULT_H
#define RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "clause.h"

typedef enum {
    VERDICT_PASS,
    VERDICT_FAIL,
    VERDICT_UNKNOWN, /* it did not exercise what it is about, or the machine was too slow to tell */
    VERDICT_SKIP,    /* a capability is not claimed */
    VERDICT_XFAIL,   /* failed as the expectations file says */
    VERDICT_XPASS,   /* passed, or failed otherwise, where that file says it fails */
    VERDICT_ERROR,   /* the harness or the agent's protocol failed */
    VERDICT_COUNT
} verdict;

enum { EXIT_HOLDS = 0, EXIT_BROKEN = 1, EXIT_UNKNOWN = 2, EXIT_ERROR = 3, EXIT_USAGE = 64, EXIT_SKIPPED = 77 };

typedef struct result {
    const char *driver; /* as given; lives longer than the result */
    const clause *clause;
    unsigned round; /* of --repeat, from 0 */
    verdict seen;   /* before the expectations file was asked */
    verdict verdict;
    bool excused;       /* does not count for the exit code: --level must, or known to the baseline */
    char missing[32];   /* of a skip: the capability not claimed, "limit", or "" where this machine does not allow it */
    char violation[16]; /* class of the first violation, or "" */
    char *text;         /* one line: the first violation in words, or why unknown or skipped; or NULL */
    char *detail;       /* lines: everything that was found, and what happened around it; or NULL */
    double seconds;
    uint64_t seed;
    uint64_t messages, must, received, violations, kills_inside; /* as in ipcmark_judgement */
    cJSON *figures;                                              /* [{"name", "value", "unit"}, …], or NULL */
    char *evidence;                                              /* folder, or NULL */
    char *replay;                                                /* the command that plays it again, or NULL */
} result;

typedef struct result_list {
    result *items;
    size_t count, capacity;
} result_list;

const char *verdict_name(verdict);
/* Whether a reader must look at it: fail, unknown, xpass, error. */
bool verdict_is_bad(verdict);
verdict verdict_worse(verdict, verdict);

/* verdict.txt in the folder of the evidence, if there is one: all that is known of the case, how to play it again, and
 * what the other files are. 0 or -errno. */
int result_explain(const result *);
/* Frees what it points to. */
void result_clear(result *);
/* Takes over what the result points to; returns it where it now lives, or NULL when memory is out. The pointer holds
 * until the next append. */
result *result_append(result_list *, const result *);
void result_list_clear(result_list *);
/* Error before fail and xpass before unknown before the rest; without what is excused. */
int result_exit_code(const result_list *);
/* The worst verdict among the results of a driver and a clause, and how many there are of it and altogether. */
verdict result_worst(const result_list *, const char *driver, const clause *, size_t *count, size_t *total);
size_t result_count(const result_list *, verdict);

#endif
