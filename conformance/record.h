/* The result file, results/FORMAT.md: what conformance has to say to it. */
#ifndef RECORD_H
#define RECORD_H

#include "contender.h"
#include "options.h"
#include "result.h"

typedef struct record_file record_file;

typedef struct record_plan {
    command_options *options; /* those of a file that is gone on with are taken over: its seed, and its rounds */
    const contender *contenders;
    size_t contender_count;
} record_plan;

/* How many cases are planned. */
size_t record_planned(const record_plan *);

int record_open(record_file **out, const char *path, const record_plan *);
/* Goes on with a file; what it holds is appended to `into`. -errno, with `problem` in words: nothing was changed. */
int record_resume(record_file **out, const char *path, const record_plan *, result_list *into, char *problem,
                  size_t problem_size);
int record_append(record_file *, const result *);
/* Of a result that could not be written to path: a verdict that nobody can read later is an error, which says so. */
void record_explain_unwritten(result *, const char *judged, const char *path, int error);
/* Writes the footer and frees; returns the first error that there was. */
int record_close(record_file *, int exit_code, bool interrupted);

/* ---- a case as it is in the file (record_case.c) ----------------------------------------------------------------- */

/* folder: of the file, "" for this one; evidence is named relative to it. */
cJSON *record_case_json(const result *, const char *folder);
/* Makes a result of a case again. false: it is none, or none of these contenders' or of this contract's. */
bool record_case_restore(result *out, const cJSON *, const contender *, size_t contender_count, const char *folder);

/* Result files name no places of this machine, which are nobody's business: of an absolute path in a text, the last
 * part stays. Returns text. */
char *record_without_folders(char *text);
/* Adds "wrap", for whoever goes on with the file: under a wrapper it would be another run. */
void record_wrap(cJSON *header, const command_options *);
/* The command as it was given, but for such paths. The caller frees it. */
char *record_command(const command_options *);

#endif
