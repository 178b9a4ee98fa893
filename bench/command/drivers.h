/* Who is measured: asked before anything is, so that one that cannot be used is known before an hour has gone by. */
#ifndef BENCH_DRIVERS_H
#define BENCH_DRIVERS_H

#include <cjson/cJSON.h>

#include "options.h"

/* The header's `drivers` (results/FORMAT.md), to be deleted by the caller, or NULL: one cannot be used, or a signal
 * came; *exit_code then, everything said. */
cJSON *drivers_probe(const struct options *, int *exit_code);

#endif
