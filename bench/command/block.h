/* Runs ipcmark-bench-rows once and takes in its cells as they come. */
#ifndef BENCH_BLOCK_H
#define BENCH_BLOCK_H

#include <signal.h>

#include <cjson/cJSON.h>

#include "options.h"

/* < 0: no more of them; the program is asked to end. */
typedef int block_cell_fn(void *context, const cJSON *record);

/* Measures the rows (names, NULL-terminated) in this order. The program that measures ends what it started, also on a
 * signal: *interrupted is the number of one that has come, and makes us ask it to end. Returns its exit code (128 + N
 * for signal N), or -errno if it could not be started. */
int block_run(const struct options *, unsigned block, const char *const *rows, volatile sig_atomic_t *interrupted,
              block_cell_fn *on_cell, void *context);

#endif
