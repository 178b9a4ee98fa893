/* Whether benchmark figures are fit to publish. */
#ifndef RESULTS_FITNESS_H
#define RESULTS_FITNESS_H

#include "rows.h"

/* results_fitness calls `reason` with one sentence for each thing that speaks against publishing these figures, and
 * returns how many there are. 0: fit. */
size_t results_fitness(const struct results_run *runs, size_t run_count, const struct results_rows *rows,
                       void (*reason)(void *context, const char *text), void *context);

/* results_run_cut_short: no footer, a torn line, an interruption, or fewer records than planned. */
bool results_run_cut_short(const struct results_run *run);

#endif
