/* Runs ipcmark-bench-rows as `ipcmark bench` does, and reads what it measured. */
#ifndef BENCH_TESTS_ROWS_RUN_H
#define BENCH_TESTS_ROWS_RUN_H

#include <stddef.h>

#include <cjson/cJSON.h>

struct rows_run {
    int exit_code; /* 128 + N: ended by signal N */
    cJSON *cells;  /* array */
};

/* words: options and rows, NULL-terminated. Fails the test if the program cannot be run. */
struct rows_run rows_run(const char *const *words);
/* Likewise, and again where others that wanted the CPUs may be why a row has no figure: its schedule was not kept, its
 * reader was kept awake, or the line could not be measured. That is as it should be, and no matter of what was
 * measured. Not for ever: after five times the case is skipped on a machine that is busy, and fails on one that is not.
 */
struct rows_run rows_run_undisturbed(const char *const *words);
/* Likewise of each row by itself, but at the same time, for those that wait most of theirs; by itself where disturbed.
 */
void rows_run_side_by_side(const char *const *rows, size_t count, struct rows_run *out);
/* Ends the case as skipped if more threads want to run than there are CPUs. */
void rows_run_skip_if_busy(const char *why);
void rows_run_free(struct rows_run *);

/* The cell of a row; fails the test if there is not exactly one. */
const cJSON *rows_run_cell(const struct rows_run *, const char *row);
double rows_run_metric(const cJSON *cell, const char *name); /* NaN: it is not there */
const char *rows_run_error(const cJSON *cell);               /* NULL: none */

#endif
