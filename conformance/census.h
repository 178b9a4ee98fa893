/* What a process holds, read from outside: /proc says it, the process is not asked. */
#ifndef CENSUS_H
#define CENSUS_H

#include "stage.h"

enum { CENSUS_TEXT = 4608 }; /* enough to say what is left: a path and some words */

typedef struct census {
    int descriptors, threads, mappings; /* mappings: of files and of shared memory */
    int abstract;                       /* of the descriptors: sockets whose name is in no folder */
    char socket[128];                   /* such a name, "@…", or "" */
} census;

/* What is there that outlives processes: files and folders in the trial's directory, all levels together, and what is
 * outside of it and the participants' (ipcmark_trial_names). */
typedef struct litter {
    int files, things;
} litter;

/* Without what lies in `except`, a folder: the suite's own journals. -errno if /proc cannot be read. */
int census_take(census *out, int pid, const char *except);
/* Whether anything is more than before; then text says what. */
bool census_grew(const census *before, const census *after, char *text, size_t text_size);
litter census_litter(stage *);
/* How much more there is than before; then text says what: "3 files, and outside of the directory …". What is
 * about to be cleared away may take its time: two seconds, stretched; then it is left for good. Less than 0:
 * interrupted. */
int census_litter_left(stage *, const litter *before, char *text, size_t text_size);

#endif
