/* What the dead have left in the folder where peers find each other. */
#ifndef BENCH_CLEARANCE_H
#define BENCH_CLEARANCE_H

#include <ipcmark/control.h>

/* How many files there are; -1: it cannot be read. */
int clearance_count(const ipcmark_trial *);
/* Survivors clear away what they find, at their next ping at the latest. Until there are no more files than `most`, or
 * 3 s are over: what is there then was forgotten, and makes the cell an error when it ends. */
void clearance_await(ipcmark_trial *, int most);

#endif
