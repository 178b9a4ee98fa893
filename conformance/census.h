/* What a process holds, read from outside: /proc says it, the process is not asked. */
#ifndef CENSUS_H
#define CENSUS_H

#include "stage.h"

typedef struct census {
    int descriptors, threads, mappings; /* mappings: of files and of shared memory */
} census;

/* Without what lies in `except`, a folder: the suite's own journals. -errno if /proc cannot be read. */
int census_take(census *out, int pid, const char *except);
/* Whether anything is more than before; then text says what. */
bool census_grew(const census *before, const census *after, char *text, size_t text_size);
/* The number of files and folders in a folder, all levels together; 0 if there is no such folder. */
int census_files(const char *folder);
/* How many more than `before` there are in the trial's directory. What is about to be cleared away may take its time:
 * two seconds, stretched; then it is left for good. Less than 0: interrupted. */
int census_files_left(stage *, int before);

#endif
