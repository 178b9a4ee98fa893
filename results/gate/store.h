/* What is kept for later comparisons. */
#ifndef GATE_STORE_H
#define GATE_STORE_H

#include "../reader/results.h"

/* Puts the run in file `from` in place of what is stored in `to`, with why and when in its header. 0, or the exit code,
 * everything said. */
int store(const char *to, const char *from, const char *reason);

/* Whether two runs are of machines that figures can be compared on; else what differs is in `text`. */
bool store_same_environment(const struct results_run *now, const struct results_run *stored, char *text, size_t size);

#endif
