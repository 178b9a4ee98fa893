/* Many cases, one after the other: planned, run, shown, written down. */
#ifndef RUN_H
#define RUN_H

#include "options.h"
#include "result.h"

/* All return the exit code. */
int run_clauses(ipcmark_session *, const command_options *);
int run_mutants(ipcmark_session *, const command_options *);
int run_mutants_list(const command_options *); /* their names, a line each */

/* The seed of round 0, 1, …; that of round 0 is the run's own, so that --seed replays it. */
uint64_t run_seed(uint64_t seed, unsigned round);
/* The command that replays a case; the caller frees it. */
char *run_replay_command(const command_options *, const ipcmark_target *, const clause *, uint64_t seed);
/* How to go on with a run that was interrupted, on stderr; nothing if it was not recorded. */
void run_explain_resume(const command_options *);

#endif
