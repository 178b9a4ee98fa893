/* Which clauses fail that did not when their verdicts were stored. */
#include "gate.h"

#include "../analysis/verdicts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct results_square *find(const struct results_matrix *matrix, const char *clause)
{
    for (size_t i = 0; i < matrix->clause_count; ++i)
        if (strcmp(matrix->clauses[i].id, clause) == 0)
            return results_matrix_square(matrix, i, 0);
    return NULL;
}

/* What was seen of it the worst time. */
static const char *text_of(const struct results_square *square)
{
    for (size_t i = 0; i < square->count; ++i)
        if (results_verdict_of(square->cases[i]->verdict) == square->verdict && square->cases[i]->text)
            return square->cases[i]->text;
    return "";
}

static int compare(struct gate_clauses *out, const struct results_matrix *now, size_t clause,
                   const struct results_matrix *stored)
{
    const struct results_square *square = results_matrix_square(now, clause, 0);
    const struct results_square *before = find(stored, now->clauses[clause].id);

    if (before && before->verdict == RESULTS_PASS &&
        (square->verdict == RESULTS_UNKNOWN || square->verdict == RESULTS_ERROR))
        out->unknown = true;
    if (square->verdict != RESULTS_FAIL || (before && before->verdict == RESULTS_FAIL) || out->count == GATE_CLAUSES)
        return 0;
    if (asprintf(&out->texts[out->count], "%s: %s%s", now->clauses[clause].id, text_of(square),
                 before ? "" : " (it was not judged before)") < 0) {
        out->texts[out->count] = NULL;
        return -ENOMEM;
    }
    ++out->count;
    return 0;
}

int gate_clauses_compare(struct gate_clauses *out, const struct results_run *now, const struct results_run *stored)
{
    struct results_matrix new = {0}, old = {0};
    int error = results_matrix_build(&new, now, 1);

    *out = (struct gate_clauses){0};
    if (error == 0)
        error = results_matrix_build(&old, stored, 1);
    if (error == 0 && (new.driver_count != 1 || old.driver_count != 1))
        error = -EINVAL;
    for (size_t i = 0; i < new.clause_count &&error == 0; ++i)
        error = compare(out, &new, i, &old);
    for (size_t i = 0; i < old.clause_count && error == 0; ++i)
        out->unknown = out->unknown || (results_matrix_square(&old, i, 0)->verdict == RESULTS_PASS &&
                                        find(&new, old.clauses[i].id) == NULL);
    results_matrix_free(&new);
    results_matrix_free(&old);
    return error;
}

void gate_clauses_free(struct gate_clauses *clauses)
{
    for (size_t i = 0; i < clauses->count; ++i)
        free(clauses->texts[i]);
    clauses->count = 0;
}
