/* The targets that a run was judged by (records "target"), in words. */
#ifndef REPORT_TARGETS_H
#define REPORT_TARGETS_H

#include "../reader/results.h"

struct target_words {
    const char *name, *verdict, *why; /* of the record; why may be "" */
    char measured[192], rival[192], ratio[192], bound[64];
};

/* Whether the n-th record of the run is a target that still counts: a run that was gone on with has written it again.
 */
bool targets_read(const struct results_run *run, size_t record, struct target_words *out);

/* Whether any run has one. */
bool targets_any(const struct results_run *runs, size_t run_count);

#endif
