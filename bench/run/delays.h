/* How long messages took, by what everyone wrote down. */
#ifndef RUN_DELAYS_H
#define RUN_DELAYS_H

#include "figures.h"

/* From just before publish to the entry of the handler, of all deliveries. Out of memory: no samples. */
void delays_take(struct figures *, const struct ipcmark_history *);

#endif
