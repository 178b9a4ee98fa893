/* Result files, read into memory. The format is described in ../FORMAT.md; every string here points into the JSON that
 * the run holds, so it lives as long as the run. Numbers that a record does not have are NAN, strings NULL. */
#ifndef RESULTS_RESULTS_H
#define RESULTS_RESULTS_H

#include "histogram.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

struct results_case {
    const char *driver, *clause, *level, *title, *verdict, *class, *text, *evidence;
    const cJSON *seed; /* a number or a string */
    double seconds, must, received;
};

/* One of several histograms of a cell or row: "close". */
struct results_named {
    const char *name;
    struct results_histogram histogram;
};

struct results_cell {
    const char *row, *family, *driver, *placement, *error, *fault, *not_applicable;
    const cJSON *limit_of;  /* of a limit: an array of families, or NULL */
    const char *limit_kind; /* of a limit: "bound", "reference" or "share" */
    double size, publishers, subscribers, rate;
    double line_before_ns, line_after_ns, steal_ns, context_switches;
    int block;
    const cJSON *metrics;    /* an object, or NULL */
    const cJSON *unmeasured; /* why some of them are null, in words: an object, or NULL */
    struct results_histogram histogram, uncorrected;
    struct results_named *named; /* further ones; owned */
    size_t named_count;
};

/* One sitting of a run; of one that was killed only the beginning is known. */
struct results_session {
    int number;
    const char *started, *finished;
    double load, seconds, steal_ns; /* load: before it began; steal: of all CPUs, while it lasted */
};

struct results_run {
    const char *file; /* as the caller named it */
    cJSON **records;  /* one a line; owned */
    size_t record_count, record_capacity;
    const cJSON *header, *footer; /* the footer is NULL if the run was cut short */
    bool torn;                    /* the last line is not whole: the writer died in it */
    struct results_case *cases;
    struct results_cell *cells;
    struct results_session *sessions;
    size_t case_count, cell_count, session_count;
};

/* results_run_read reads a whole file, or standard input for "-". Returns 0, or -errno with one line in `error` that
 * says where the file is wrong and what to do. A file without footer, or with a torn last line, is read; see above. */
int results_run_read(struct results_run *run, const char *file, char *error, size_t error_size);

/* results_runs_check: whether these files can be read together: what would count double is refused, two cells of one
 * row in one block, in one file or in several shards of one run; and so is a file that is given twice. 0; or -EINVAL,
 * with one line in `error` that says what to do; or -ENOMEM. */
int results_runs_check(const struct results_run *runs, size_t run_count, char *error, size_t error_size);

/* results_run_free frees what results_run_read made. A zeroed run may be freed. */
void results_run_free(struct results_run *run);

/* Of an object's member: the string, or NULL; the number, or NAN; the object, or NULL: only its members have names. */
const char *results_string(const cJSON *object, const char *name);
double results_number(const cJSON *object, const char *name);
const cJSON *results_object(const cJSON *object, const char *name);

/* Whether two files are shards of one run (../FORMAT.md, `shard`). */
bool results_same_run(const struct results_run *one, const struct results_run *other);

/* The driver of that name, by which rows know it, in the header; or NULL. */
const cJSON *results_driver(const struct results_run *run, const char *name);

/* results_header is short for results_string(run->header, name), with "" instead of NULL. */
const char *results_header(const struct results_run *run, const char *name);

/* How many cases or cells were planned: by the header, or by the last time that the run was gone on with. NAN: nobody
 * said. */
double results_planned(const struct results_run *run);

#endif
