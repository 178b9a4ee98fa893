/* Going on with a result file that an earlier call left: whether it is of the same run. */
#ifndef RESUME_H
#define RESUME_H

#include <stdbool.h>

#include "ipcmark/runfile.h"

/* Compares the header of the file at path with what this run would write: kind, suite, commit, contract, members of
 * run->more (but for "rounds", which may grow), drivers with their versions, capabilities and digests, and, if it was
 * given, the seed. Then *header is that header, for the caller to delete, and run->seed and run->planned are its own,
 * so that ipcmark_runfile_resume() has only the plan left to compare. -errno, with `problem` in words. */
int resume_check(struct cJSON **header, const char *path, struct ipcmark_run *run, bool seed_given, char *problem,
                 size_t problem_size);
/* What to say when ipcmark_runfile_resume() fails after that. */
void resume_explain(int error, const char *path, char *problem, size_t problem_size);

#endif
