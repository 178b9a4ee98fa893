/* What both judges, that of a run and that beside a stored one, begin a look with, make of rows, and end it with. */
#ifndef GATE_FINDINGS_H
#define GATE_FINDINGS_H

#include "gate.h"

/* The rows of one metric; NULL: not measured. */
struct gate_trio {
    const struct results_row *candidate, *base, *control;
};

void gate_begin(struct gate_look *look, const struct gate_tolerances *tolerances, unsigned asked);

/* Notes faults, blocks and figures of the rows. False: they cannot be compared, and the finding says why. */
bool gate_take(struct gate_look *look, struct gate_finding *finding, const struct gate_trio *trio, const char *metric);

void gate_find(struct gate_finding *finding, enum gate_verdict verdict, const char *why);

/* Inconclusive, and further blocks may tell. */
void gate_find_noisy(struct gate_finding *finding, const char *why);

/* What was measured as slower by more than is tolerated is no pass for want of certainty. */
void gate_find_uncertain(struct gate_finding *finding);

/* From the findings to the look's verdict. */
void gate_end(struct gate_look *look);

#endif
