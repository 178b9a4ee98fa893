/* The self-test: who is put to it, what came of it, and how that is shown. */
#ifndef MUTANTS_H
#define MUTANTS_H

#include <limits.h>

#include "ipcmark/control.h"
#include "mutants/mutant.h"
#include "mutants_record.h"
#include "progress.h"

enum { MUTANTS_MOST = 256, CLAUSES_MOST = 256, MUTANTS_ATTEMPTS = 5 };

typedef enum {
    CELL_NOT_RUN,
    CELL_PASSED,
    CELL_SKIPPED,
    CELL_SEEN,
    CELL_CAUGHT,
    CELL_SURVIVED,
    CELL_STRAY,
    CELL_ERROR
} cell;

typedef struct {
    char path[PATH_MAX];
    const mutant *about;
    cell cells[CLAUSES_MOST];
    unsigned attempts[CLAUSES_MOST];   /* the most that a round needed */
    unsigned caught, due;              /* rounds of its own clauses */
    progress_kind kinds[CLAUSES_MOST]; /* rounds of a clause end in their order, in this call or an earlier one */
} subject;

typedef struct {
    ipcmark_session *session;
    command_options *options; /* of a run that is gone on with, its seed and rounds */
    subject *subjects;
    size_t count;
    unsigned survivors, strays, errors, retries;
    size_t planned, ended; /* cells */
    char id[17];
    mutants_record *record; /* or NULL */
} self_test;

/* Those in lib/ipcmark/mutants that --mutant names; -errno if there are none. */
int mutants_find(self_test *);

/* ---- showing them: mutants_table.c ------------------------------------------------------------------------------- */

const char *mutants_outcome(cell); /* "caught", … */
/* A cell that is as it may not be, at once. */
void mutants_explain(const subject *, const result *, cell);
void mutants_print_matrix(const self_test *);

#endif
