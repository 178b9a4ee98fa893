/* What libmmipc is to reach, and whether a run shows that it does. Judged from the cells: METHOD.md, "Targets". */
#ifndef RESULTS_TARGETS_H
#define RESULTS_TARGETS_H

#include "rows.h"

struct results_target {
    const char *name;
    const char *row, *metric; /* "p99_of_all_ns": of all blocks' samples together */
    const char *rivals[2];    /* rows, or "line"; the one that is harder to reach counts. None: a bound of its own */
    bool at_most;             /* else at least */
    double bound;             /* of the ratio, or in the metric's unit */
};

enum { RESULTS_TARGETS = 16 };
extern const struct results_target results_targets[RESULTS_TARGETS];

struct results_target_verdict {
    const struct results_target *target;
    double value;                 /* of the row: its median over the blocks; NAN: none */
    const char *rival;            /* the harder one: a row or "line"; NULL: none */
    double rival_value;           /* likewise */
    struct results_spread judged; /* the ratio to the rival; of a bound of its own: the value; count: pairs, blocks, or
                                     samples of p99_of_all_ns, whose high may be NAN: it has no upper end */
    const char *word;             /* "reached", "not reached", "perhaps reached", "perhaps not reached", "unknown" */
    const char *unknown;          /* why, or NULL */
};

/* results_targets_any: whether run number `run` of rows->runs has any row of a target. */
bool results_targets_any(const struct results_rows *rows, size_t run);

/* results_targets_judge fills in one verdict a target, in the order of results_targets. */
void results_targets_judge(const struct results_rows *rows, size_t run,
                           struct results_target_verdict out[RESULTS_TARGETS]);

#endif
