/* Who is connected, where nobody counts: publishers send probes until each subscriber has one of each. */
#ifndef PROBE_H
#define PROBE_H

#include "stage.h"

/* Every open subscriber has received, of every open publisher that it meets, a message of its present life; of one that
 * is not publishing already, one that was sent only now. None by the deadline is an objection (hung). */
bool probe_all(stage *);

#endif
