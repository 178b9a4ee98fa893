/* A clause of CONTRACT.md as the program has it. */
#ifndef CLAUSE_H
#define CLAUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTRACT_VERSION 1

struct stage;
struct ipcmark_history;

/* How much of everything: for every commit, for a judgement, and as long as it takes. */
typedef enum { EFFORT_USUAL, EFFORT_QUICK, EFFORT_THOROUGH } effort;

const char *effort_name(effort); /* "usual", "quick", "thorough" */

typedef struct clause {
    const char *id;
    bool should;                      /* level: SHOULD instead of MUST */
    uint64_t needs;                   /* IPCMARK_CAP_… bits without which it is skipped */
    const char *promise;              /* one sentence, word by word that of CONTRACT.md */
    unsigned publishers, subscribers; /* the most that are open at once */
    size_t message_bytes;             /* the largest message; 0: 64 KiB */
    size_t thorough_bytes;            /* the same in a thorough run; 0: no larger */
    size_t least_limit;               /* skipped where the implementation's largest message is below this */
    double seconds;                   /* that it takes, usually: for the time left; 0: less than a second */
    bool heavy;                       /* keeps all processors busy: CTest runs it alone */
    /* Plays the case out on a stage; false: it gave up before the end. What was seen is judged in either case, but what
     * was given up cannot pass. */
    bool (*play)(struct stage *);
    /* Looks into what everyone wrote down for what the checker has no rule for; objects to it. NULL: nothing. */
    void (*examine)(struct stage *, const struct ipcmark_history *);
} clause;

typedef struct clause_group {
    const clause *clauses;
    size_t count;
} clause_group;

extern const clause_group delivery_clauses, isolation_clauses, connection_clauses, pace_clauses, threads_clauses,
    life_clauses, churn_clauses, kill_clauses, pause_clauses, surroundings_clauses;

/* All clauses in the order of CONTRACT.md; NULL behind the last. */
const clause *clause_at(size_t index);
const clause *clause_find(const char *id);
const char *clause_level(const clause *); /* "MUST" or "SHOULD" */

/* Whether text matches one of the patterns: ids or globs with spaces between; case does not matter. */
bool clause_matches(const char *patterns, const char *text);

#endif
