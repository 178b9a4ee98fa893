/* What libmmipc is to reach (the targets), and whether it does, by the rows of bench/targets. */
#ifndef BENCH_TARGETS_H
#define BENCH_TARGETS_H

#include <stdio.h>

#include "summary.h"

/* A target. Its figure is a metric of a row, and is judged by its ratio to the same metric of each rival, or as it is.
 */
struct goal {
    const char *name;
    const char *row, *metric; /* "p99_of_all_ns": of all blocks' samples together */
    const char *rivals[2];    /* rows, or "line"; the one that is harder to reach counts. None: an absolute bound */
    bool by_block;            /* its pairs need not be of one placement */
    bool at_most;             /* else at least */
    double bound;             /* of the ratio, or in the metric's unit */
};

struct goal_result {
    const struct goal *goal;
    double value;        /* median over the blocks; NaN: none */
    const char *rival;   /* the harder one: a row or "line"; NULL: none */
    double rival_value;  /* its median; NaN: none */
    struct ratio ratio;  /* to the rival; of an absolute bound: the value, its interval, and blocks (or samples) */
    const char *unknown; /* why it cannot be judged, or NULL; static */
};

enum { TARGETS = 16, TARGETS_FEWEST_SAMPLES = 200 };
extern const struct goal targets_goals[TARGETS];

/* 0, -ENOMEM */
int targets_judge(const struct tally *, struct goal_result out[TARGETS]);
const char *targets_verdict(const struct goal_result *); /* as ratio_verdict(), or "unknown" */

/* The table; and the records of the run's file (results/FORMAT.md), which the caller deletes. */
void targets_print(FILE *out, const struct goal_result results[TARGETS]);
struct cJSON *targets_record(const struct goal_result *);

#endif
