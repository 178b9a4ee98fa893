/* A look at what was measured, or is to be. */
#ifndef GATE_LOOK_H
#define GATE_LOOK_H

#include "gate.h"
#include "options.h"

/* Both return 0, or the exit code, everything said. */

/* Measures and judges, in fresh blocks again if need be, and compares clauses. The verdict is in the report. */
int look(struct gate_report *report, const struct options *options, const struct gate_tolerances *tolerances);

/* Of files that are there. */
int look_recorded(struct gate_report *report, const struct options *options, const struct gate_tolerances *tolerances);

#endif
