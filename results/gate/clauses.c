/* Which clauses are not kept as they were when their verdicts were stored. */
#include "gate.h"

#include "../analysis/verdicts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One driver of a run. */
struct side {
    const struct results_matrix *matrix;
    size_t driver; /* may be the number of drivers: it has none */
};

static enum results_verdict verdict_of(const struct side *side, const char *clause, const struct results_square **out)
{
    *out = NULL;
    for (size_t i = 0; i < side->matrix->clause_count && side->driver < side->matrix->driver_count; ++i)
        if (strcmp(side->matrix->clauses[i].id, clause) == 0)
            *out = results_matrix_square(side->matrix, i, side->driver);
    return *out && (*out)->count > 0 ? (*out)->verdict : RESULTS_NOT_RUN;
}

/* Who it was then: of one driver beside one driver that is plain, whatever their names; else names tell. */
static struct side same_in(const struct results_matrix *matrix, const struct side *side)
{
    struct side out = {matrix, 0};

    if (matrix->driver_count == 1 && side->matrix->driver_count == 1)
        return out;
    while (out.driver < matrix->driver_count &&
           strcmp(matrix->drivers[out.driver], side->matrix->drivers[side->driver]) != 0)
        ++out.driver;
    return out;
}

/* What was seen of it the worst time. */
static const char *text_of(const struct results_square *square)
{
    for (size_t i = 0; square && i < square->count; ++i)
        if (results_verdict_of(square->cases[i]->verdict) == square->verdict && square->cases[i]->text)
            return square->cases[i]->text;
    return "";
}

static bool passed(enum results_verdict verdict)
{
    return verdict == RESULTS_PASS || verdict == RESULTS_XPASS;
}

/* What has become of it, in words; NULL: nothing that counts. Who declares a failure expected, or the clause not to
 * apply, may be right: then the stored verdicts are to be renewed, with the reason. */
static const char *change(enum gate_verdict *verdict, enum results_verdict before, enum results_verdict now)
{
    *verdict = GATE_REGRESSION;
    if (now == RESULTS_FAIL && before == RESULTS_NOT_RUN)
        return "fails, and was not judged before";
    if (now == RESULTS_FAIL && before != RESULTS_FAIL)
        return "fails";
    if (now == RESULTS_XFAIL && passed(before))
        return "fails, as is expected now; it passed before";
    *verdict = GATE_INCONCLUSIVE;
    if (!passed(before))
        return NULL;
    return now == RESULTS_SKIP      ? "is skipped, and passed before"
           : now == RESULTS_NOT_RUN ? "is not in this run, and passed before"
           : now == RESULTS_UNKNOWN ? "could not be judged, and passed before"
           : now == RESULTS_ERROR   ? "ended in an error, and passed before"
                                    : NULL;
}

static int note(struct gate_clauses *out, enum gate_verdict verdict, const struct side *side, const char *clause,
                const char *what, const char *text)
{
    const bool several = side->matrix->driver_count > 1;
    struct gate_clause *list = realloc(out->list, (out->count + 1) * sizeof *list);
    char *words;

    if (list == NULL)
        return -ENOMEM;
    out->list = list;
    if (asprintf(&words, "%s%s%s %s%s%s", several ? side->matrix->drivers[side->driver] : "", several ? ": " : "",
                 clause, what, *text ? ": " : "", text) < 0)
        return -ENOMEM;
    out->list[out->count++] = (struct gate_clause){verdict, words};
    return 0;
}

static int compare(struct gate_clauses *out, const struct side *now, const struct side *before, const char *clause)
{
    const struct results_square *square, *old;
    enum results_verdict is = verdict_of(now, clause, &square), was = verdict_of(before, clause, &old);
    enum gate_verdict verdict;
    const char *what = change(&verdict, was, is);
    const bool there = is != RESULTS_NOT_RUN;
    return what ? note(out, verdict, there ? now : before, clause, what, there ? text_of(square) : "") : 0;
}

/* What a driver has, beside the same one of the other run. */
static int compare_now(struct gate_clauses *out, const struct side *now, const struct results_matrix *stored)
{
    const struct side before = same_in(stored, now);
    const struct results_square *square;
    int error = 0;

    for (size_t i = 0; i < now->matrix->clause_count && error == 0; ++i)
        if (verdict_of(now, now->matrix->clauses[i].id, &square) != RESULTS_NOT_RUN)
            error = compare(out, now, &before, now->matrix->clauses[i].id);
    return error;
}

/* What it does not have any more. */
static int compare_stored(struct gate_clauses *out, const struct side *before, const struct results_matrix *new)
{
    const struct side now = same_in(new, before);
    const struct results_square *square;
    int error = 0;

    for (size_t i = 0; i < before->matrix->clause_count && error == 0; ++i)
        if (verdict_of(&now, before->matrix->clauses[i].id, &square) == RESULTS_NOT_RUN)
            error = compare(out, &now, before, before->matrix->clauses[i].id);
    return error;
}

static int compare_all(struct gate_clauses *out, const struct results_matrix *now, const struct results_matrix *stored)
{
    int error = 0;

    for (size_t i = 0; i < now->driver_count && error == 0; ++i)
        error = compare_now(out, &(struct side){now, i}, stored);
    for (size_t i = 0; i < stored->driver_count && error == 0; ++i)
        error = compare_stored(out, &(struct side){stored, i}, now);
    return error;
}

int gate_clauses_compare(struct gate_clauses *out, const struct results_run *now, const struct results_run *stored)
{
    struct results_matrix new = {0}, old = {0};
    int error = results_matrix_build(&new, now, 1);

    *out = (struct gate_clauses){0};
    if (error == 0)
        error = results_matrix_build(&old, stored, 1);
    if (error == 0 && (new.driver_count == 0 || old.driver_count == 0))
        error = -EINVAL;
    if (error == 0)
        error = compare_all(out, &new, &old);
    results_matrix_free(&new);
    results_matrix_free(&old);
    return error;
}

size_t gate_clauses_count(const struct gate_clauses *clauses, enum gate_verdict verdict)
{
    size_t count = 0;
    for (size_t i = 0; i < clauses->count; ++i)
        count += clauses->list[i].verdict == verdict;
    return count;
}

void gate_clauses_free(struct gate_clauses *clauses)
{
    for (size_t i = 0; i < clauses->count; ++i)
        free(clauses->list[i].text);
    free(clauses->list);
    *clauses = (struct gate_clauses){0};
}
