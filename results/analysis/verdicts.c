#include "verdicts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"pass", "skip", "xfail", "unknown", "xpass", "fail", "error", "not run"};

const char *results_verdict_name(enum results_verdict verdict)
{
    return names[verdict];
}

enum results_verdict results_verdict_of(const char *name)
{
    int verdict = 0;
    while (verdict < RESULTS_VERDICTS && strcmp(names[verdict], name) != 0)
        ++verdict;
    return (enum results_verdict)verdict;
}

bool results_verdict_bad(enum results_verdict verdict)
{
    return verdict >= RESULTS_UNKNOWN && verdict < RESULTS_VERDICTS;
}

size_t results_clause_group(const char *id)
{
    return strcspn(id, "-");
}

static int add_driver(struct results_matrix *matrix, const char *name)
{
    const char **grown;
    for (size_t i = 0; i < matrix->driver_count; ++i)
        if (strcmp(matrix->drivers[i], name) == 0)
            return 0;
    grown = reallocarray(matrix->drivers, matrix->driver_count + 1, sizeof *grown);
    if (grown == NULL)
        return -ENOMEM;
    matrix->drivers = grown;
    grown[matrix->driver_count++] = name;
    return 0;
}

static bool same_group(const char *a, const char *b)
{
    size_t length = results_clause_group(a);
    return length == results_clause_group(b) && strncmp(a, b, length) == 0;
}

/* Where an id belongs: in its group, before the first that is greater; a new group comes last. */
static size_t place_of(const struct results_matrix *matrix, const char *id)
{
    bool in_group = false;
    for (size_t i = 0; i < matrix->clause_count; ++i) {
        bool same = same_group(matrix->clauses[i].id, id);
        if ((in_group && !same) || (same && strcmp(matrix->clauses[i].id, id) > 0))
            return i;
        in_group = same;
    }
    return matrix->clause_count;
}

static int add_clause(struct results_matrix *matrix, const struct results_case *item)
{
    struct results_clause *grown;
    size_t place;
    for (size_t i = 0; i < matrix->clause_count; ++i)
        if (strcmp(matrix->clauses[i].id, item->clause) == 0)
            return 0;
    grown = reallocarray(matrix->clauses, matrix->clause_count + 1, sizeof *grown);
    if (grown == NULL)
        return -ENOMEM;
    matrix->clauses = grown;
    place = place_of(matrix, item->clause);
    memmove(grown + place + 1, grown + place, (matrix->clause_count - place) * sizeof *grown);
    grown[place] =
        (struct results_clause){item->clause, item->level ? item->level : "", item->title ? item->title : ""};
    ++matrix->clause_count;
    return 0;
}

static struct results_square *square_of(struct results_matrix *matrix, const struct results_case *item)
{
    size_t clause = 0, driver = 0;
    while (strcmp(matrix->clauses[clause].id, item->clause) != 0)
        ++clause;
    while (strcmp(matrix->drivers[driver], item->driver) != 0)
        ++driver;
    return &matrix->squares[clause * matrix->driver_count + driver];
}

static int add_case(struct results_matrix *matrix, const struct results_case *item)
{
    struct results_square *square = square_of(matrix, item);
    const struct results_case **grown = reallocarray(square->cases, square->count + 1, sizeof *grown);
    enum results_verdict verdict = results_verdict_of(item->verdict);
    if (grown == NULL)
        return -ENOMEM;
    square->cases = grown;
    grown[square->count++] = item;
    if (square->verdict == RESULTS_NOT_RUN || verdict > square->verdict)
        square->verdict = verdict;
    return 0;
}

/* Calls visit for each case of each run until it fails. */
static int each_case(struct results_matrix *matrix, const struct results_run *runs, size_t run_count,
                     int (*visit)(struct results_matrix *, const struct results_case *))
{
    int error = 0;
    for (size_t r = 0; r < run_count; ++r)
        for (size_t c = 0; c < runs[r].case_count && error == 0; ++c)
            error = visit(matrix, &runs[r].cases[c]);
    return error;
}

static int add_names(struct results_matrix *matrix, const struct results_case *item)
{
    int error = add_driver(matrix, item->driver);
    return error ? error : add_clause(matrix, item);
}

int results_matrix_build(struct results_matrix *out, const struct results_run *runs, size_t run_count)
{
    struct results_matrix matrix = {0};
    size_t squares;
    int error = each_case(&matrix, runs, run_count, add_names);
    if (error)
        goto out;
    squares = matrix.clause_count * matrix.driver_count;
    matrix.squares = calloc(squares + 1, sizeof *matrix.squares);
    if (matrix.squares == NULL) {
        error = -ENOMEM;
        goto out;
    }
    for (size_t i = 0; i < squares; ++i)
        matrix.squares[i].verdict = RESULTS_NOT_RUN;
    error = each_case(&matrix, runs, run_count, add_case);
out:
    if (error)
        results_matrix_free(&matrix);
    else
        *out = matrix;
    return error;
}

void results_matrix_free(struct results_matrix *matrix)
{
    for (size_t i = 0; matrix->squares && i < matrix->clause_count * matrix->driver_count; ++i)
        free(matrix->squares[i].cases);
    free(matrix->squares);
    free(matrix->clauses);
    free(matrix->drivers);
    *matrix = (struct results_matrix){0};
}

const struct results_square *results_matrix_square(const struct results_matrix *matrix, size_t clause, size_t driver)
{
    return &matrix->squares[clause * matrix->driver_count + driver];
}

size_t results_matrix_count(const struct results_matrix *matrix, size_t driver, enum results_verdict verdict)
{
    size_t count = 0;
    for (size_t clause = 0; clause < matrix->clause_count; ++clause)
        count += results_matrix_square(matrix, clause, driver)->verdict == verdict;
    return count;
}
