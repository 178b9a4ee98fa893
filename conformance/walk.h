/* Going over what everyone wrote down, for examinations. */
#ifndef WALK_H
#define WALK_H

#include "ipcmark/history.h"

/* The next of these that this endpoint wrote down, journal by journal and not by time: one may use several threads.
 * NULL: no more. Begin with a walk of zeros. */
typedef struct walk {
    size_t journal, record;
} walk;
const struct ipcmark_record *walk_next(walk *, const struct ipcmark_history *, enum ipcmark_kind, uint16_t endpoint);

#endif
