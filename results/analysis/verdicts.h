/* The cases of all conformance runs as a table: implementations × clauses. */
#ifndef RESULTS_VERDICTS_H
#define RESULTS_VERDICTS_H

#include "../reader/results.h"

/* From best to worst: a clause that was judged several times shows its worst verdict. */
enum results_verdict {
    RESULTS_PASS,
    RESULTS_SKIP,
    RESULTS_XFAIL,
    RESULTS_UNKNOWN,
    RESULTS_XPASS,
    RESULTS_FAIL,
    RESULTS_ERROR,
    RESULTS_VERDICTS,
    RESULTS_NOT_RUN = RESULTS_VERDICTS
};

struct results_clause {
    const char *id, *level, *title;
};

struct results_square {
    enum results_verdict verdict; /* the worst of its cases */
    const struct results_case **cases;
    size_t count;
};

struct results_matrix {
    const char **drivers; /* in the order of first appearance */
    size_t driver_count;
    struct results_clause *clauses; /* groups in the order of first appearance, ids rising within */
    size_t clause_count;
    struct results_square *squares; /* [clause * driver_count + driver] */
};

int results_matrix_build(struct results_matrix *out, const struct results_run *runs, size_t run_count);
void results_matrix_free(struct results_matrix *matrix);

const struct results_square *results_matrix_square(const struct results_matrix *matrix, size_t clause, size_t driver);

/* How many clauses of a driver have this verdict. */
size_t results_matrix_count(const struct results_matrix *matrix, size_t driver, enum results_verdict verdict);

enum results_verdict results_verdict_of(const char *name);
const char *results_verdict_name(enum results_verdict verdict);

/* Whether a reader must look at it: anything but pass, skip and an expected failure. */
bool results_verdict_bad(enum results_verdict verdict);

/* The length of a clause's group, "DEL" in "DEL-003". */
size_t results_clause_group(const char *id);

#endif
