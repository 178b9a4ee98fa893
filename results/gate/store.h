/* What is kept for later comparisons. */
#ifndef GATE_STORE_H
#define GATE_STORE_H

#include "../reader/results.h"

/* Puts the run in file `from` in place of what is stored in `to`, with why and when in its header. 0, or the exit code,
 * everything said. */
int store(const char *to, const char *from, const char *reason);

/* Whether it is what store() leaves: one driver alone, accepted with a reason. 0, or the exit code, everything said. */
int store_check(const struct results_run *stored);

/* What differs between now and when it was stored: "cpus is 2, and was 4; …". False: nothing does, and text is "". */

/* Of the machine: figures cannot be compared. */
bool store_other_machine(const struct results_run *now, const struct results_run *stored, char *text, size_t size);

/* Of what ran on it, which driver that was, and how it was measured: figures can be compared by who knows it. */
bool store_other_build(const struct results_run *now, const struct results_run *stored, char *text, size_t size);

#endif
