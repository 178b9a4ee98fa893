/* How often the gate is wrong, counted. */
#ifndef GATE_SELF_TEST_H
#define GATE_SELF_TEST_H

#include "gate.h"
#include "options.h"

/* The exit code: 0 as often right as it has to be, 1 not, 2 so far, but too few to tell; or as look(). */
int self_test(const struct options *options, const struct gate_tolerances *tolerances);

#endif
