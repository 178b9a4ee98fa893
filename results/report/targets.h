/* What libmmipc is to reach, in words. */
#ifndef REPORT_TARGETS_H
#define REPORT_TARGETS_H

#include "../analysis/targets.h"
#include "report.h"

struct target_words {
    const char *name, *verdict, *why; /* static; why may be "" */
    char measured[192], rival[192], ratio[192], bound[64];
};

/* targets_words judges the targets of a run of the benchmark: RESULTS_TARGETS of them, owned by the caller; NULL if
 * memory ran out. */
struct target_words *targets_words(const struct report *report, size_t run);

/* Whether any run has rows of targets. */
bool targets_any(const struct report *report);

#endif
