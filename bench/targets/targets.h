/* The rows that the targets of libmmipc are judged by, measured without the agent of the harness between: two small
 * processes that use libmmipc, or what it is compared with, directly. Each: 0, or -1 with the cell an error. */
#ifndef TARGETS_TARGETS_H
#define TARGETS_TARGETS_H

#include "../rows/bench.h"

int targets_hot(struct bench *, struct cell *);
int targets_wakeup(struct bench *, struct cell *);
int targets_stream(struct bench *, struct cell *); /* target-stream and target-fanout */
int targets_idle(struct bench *, struct cell *);
int targets_pairs(struct bench *, struct cell *);
int targets_attach(struct bench *, struct cell *);
int targets_death(struct bench *, struct cell *);

#endif
