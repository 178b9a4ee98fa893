/* What an earlier run left where this one would write. */
#ifndef BENCH_EARLIER_H
#define BENCH_EARLIER_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the file holds what would be lost by writing it anew: cells of a run that did not finish, or what is no run's
 * file at all. command: that which goes on with the run, as its header has it; "": unknown. */
bool earlier_is_unfinished(const char *path, char *command, size_t command_size);

#endif
