/* What a look makes of cells that are errors. */
#ifndef GATE_FAULTS_H
#define GATE_FAULTS_H

#include "gate.h"

/* Of one row, and the same one of the base; `control` may be the base itself, and each of them NULL. The worst that the
 * look has seen stays in it. */
void gate_look_at_faults(struct gate_look *look, const struct results_row *candidate, const struct results_row *base,
                         const struct results_row *control);

#endif
