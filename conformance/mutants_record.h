/* The record of a self-test, results/FORMAT.md: a line a cell, so that one that takes hours can be gone on with. */
#ifndef MUTANTS_RECORD_H
#define MUTANTS_RECORD_H

#include "options.h"
#include "result.h"

typedef struct mutants_record mutants_record;

/* One cell: a mutant put to a clause, in one round. */
typedef struct mutants_cell {
    const char *mutant, *outcome; /* "caught", … */
    const clause *clause;
    unsigned round, attempts; /* round from 0 */
} mutants_cell;

typedef struct mutants_plan {
    command_options *options; /* of a file that is gone on with, seed and rounds are taken over */
    const char *base;         /* with its version */
    char **ids;               /* "drop DEL-001", … */
    size_t id_count;
} mutants_plan;

/* A new file, or, with --resume, the one that is there: `done` is called for each cell that it holds. -errno, with
 * `problem` in words. */
int mutants_record_open(mutants_record **out, const mutants_plan *, void (*done)(void *context, const mutants_cell *),
                        void *context, char *problem, size_t problem_size);
int mutants_record_append(mutants_record *, const mutants_cell *, const result *);
/* Frees; NULL is fine. The first error that there was. */
int mutants_record_close(mutants_record *, int exit_code, bool interrupted);

#endif
