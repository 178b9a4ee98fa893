/* Verdicts that were accepted: a clause that newly fails is told from one that always did. */
#ifndef BASELINE_H
#define BASELINE_H

#include <stdio.h>

#include "result.h"

typedef struct baseline baseline;

/* -errno, with `problem` in words: the file cannot be read, is no baseline, or is of another contract. */
int baseline_load(baseline **out, const char *path, char *problem, size_t problem_size);
void baseline_free(baseline *);

/* Whether it fails, or is unknown, as it did in the baseline: the same verdict and class of violation. */
bool baseline_excuses(const baseline *, const result *);
/* What newly fails, no longer fails, always failed, is new, was given up. */
void baseline_print(FILE *, const baseline *, const result_list *, int width);

/* Writes the verdicts of a run, of each clause the worst of its rounds, into the baseline that is there or a new one:
 * what was not run stays. All of it or nothing. -errno. */
int baseline_accept(const char *path, const result_list *);

#endif
