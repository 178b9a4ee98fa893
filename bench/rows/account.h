/* What a process has cost so far, and what it holds. */
#ifndef BENCH_ACCOUNT_H
#define BENCH_ACCOUNT_H

#include <ipcmark/control.h>

#include "cell.h"

/* CPU time of all its threads: the kernel's own account, read from outside, so that the process does nothing for it.
 * NAN: it is gone. */
double account_cpu_ns(const ipcmark_participant *);

/* Of several processes together; shared memory that more than one of them sees counts once. */
struct holding {
    double bytes, descriptors;
};

/* 0, or -1 with the cell an error. */
int account_holding(struct cell *, ipcmark_participant *const *participants, size_t count, struct holding *);

#endif
