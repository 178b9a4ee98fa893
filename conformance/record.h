/* The result file, results/FORMAT.md: what conformance has to say to it. */
#ifndef RECORD_H
#define RECORD_H

#include "options.h"
#include "result.h"

typedef struct record_file record_file;

typedef struct record_contender {
    const char *name; /* as given */
    const ipcmark_implementation *implementation;
} record_contender;

typedef struct record_plan {
    const command_options *options;
    const record_contender *contenders;
    size_t contender_count;
    size_t planned;
} record_plan;

int record_open(record_file **out, const char *path, const record_plan *);
int record_append(record_file *, const result *);
/* Writes the footer and frees; returns the first error that there was. */
int record_close(record_file *, int exit_code, bool interrupted);

#endif
