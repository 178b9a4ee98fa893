#include "rows.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "latency/mmipc/64B/1x1" of driver mmipc becomes "latency/64B/1x1". */
static char *shape_of(const struct results_cell *cell)
{
    size_t family = strlen(cell->family), driver = strlen(cell->driver);
    const char *rest = cell->row + family + 1 + driver;
    char *shape = NULL;
    if (strncmp(cell->row, cell->family, family) != 0 || cell->row[family] != '/' ||
        strncmp(cell->row + family + 1, cell->driver, driver) != 0 || (*rest != '/' && *rest != '\0'))
        return strdup(cell->row);
    return asprintf(&shape, "%s%s", cell->family, rest) < 0 ? NULL : shape;
}

static struct results_row *row_of(struct results_rows *rows, size_t run, const struct results_cell *cell)
{
    struct results_row *grown;
    char *shape;
    for (size_t i = 0; i < rows->count; ++i)
        if (rows->rows[i].run == run && strcmp(rows->rows[i].name, cell->row) == 0 &&
            strcmp(rows->rows[i].driver, cell->driver) == 0)
            return &rows->rows[i];
    shape = shape_of(cell);
    grown = shape ? reallocarray(rows->rows, rows->count + 1, sizeof *grown) : NULL;
    if (grown == NULL) {
        free(shape);
        return NULL;
    }
    rows->rows = grown;
    grown[rows->count] = (struct results_row){
        .name = cell->row, .family = cell->family, .driver = cell->driver, .run = run, .shape = shape, .first = cell};
    return &grown[rows->count++];
}

static int merge_named(struct results_row *row, const struct results_named *named)
{
    struct results_named *grown;
    size_t at = 0;
    while (at < row->named_count && strcmp(row->named[at].name, named->name) != 0)
        ++at;
    if (at == row->named_count) {
        grown = reallocarray(row->named, row->named_count + 1, sizeof *grown);
        if (grown == NULL)
            return -ENOMEM;
        row->named = grown;
        grown[row->named_count++] = (struct results_named){.name = named->name};
    }
    return results_histogram_merge(&row->named[at].histogram, &named->histogram);
}

static int merge_cell(struct results_row *row, const struct results_cell *cell)
{
    int error = results_histogram_merge(&row->histogram, &cell->histogram);
    if (error == 0)
        error = results_histogram_merge(&row->uncorrected, &cell->uncorrected);
    for (size_t i = 0; i < cell->named_count && error == 0; ++i)
        error = merge_named(row, &cell->named[i]);
    return error;
}

static int add_cell(struct results_rows *rows, size_t number, const struct results_run *run,
                    const struct results_cell *cell)
{
    struct results_row *row = row_of(rows, number, cell);
    struct results_sample *grown;
    if (row == NULL)
        return -ENOMEM;
    grown = reallocarray(row->samples, row->sample_count + 1, sizeof *grown);
    if (grown == NULL)
        return -ENOMEM;
    row->samples = grown;
    grown[row->sample_count++] = (struct results_sample){run, cell};
    if (cell->not_applicable) {
        row->not_applicable = cell->not_applicable;
        ++row->not_applied;
        return 0;
    }
    if (cell->error) {
        if (row->failed++ == 0)
            row->error = cell->error;
        return 0;
    }
    return merge_cell(row, cell);
}

/* The number of the run that the file belongs to. */
static int add_run(struct results_rows *rows, const struct results_run *run, size_t *number)
{
    struct results_whole *grown;
    for (*number = 0; *number < rows->run_count; ++*number)
        if (results_same_run(rows->runs[*number].first, run))
            return 0;
    grown = reallocarray(rows->runs, rows->run_count + 1, sizeof *grown);
    if (grown == NULL)
        return -ENOMEM;
    rows->runs = grown;
    grown[rows->run_count++] = (struct results_whole){.first = run};
    return 0;
}

static int add_file(struct results_rows *rows, const struct results_run *run)
{
    size_t number = 0;
    int error = 0;
    if (strcmp(results_header(run, "kind"), "bench") != 0)
        return 0;
    error = add_run(rows, run, &number);
    for (size_t i = 0; i < run->cell_count && error == 0; ++i)
        error = add_cell(rows, number, run, &run->cells[i]);
    return error;
}

/* "results/base.jsonl" is "base". */
static char *short_name(const char *file)
{
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
    size_t length = strlen(name);
    if (length > 6 && strcmp(name + length - 6, ".jsonl") == 0)
        length -= 6;
    return strndup(name, length);
}

/* By the names of the files, if these tell them apart. */
static int label_runs(struct results_rows *rows)
{
    bool apart = true;
    for (size_t i = 0; i < rows->run_count; ++i) {
        rows->runs[i].label = short_name(rows->runs[i].first->file);
        if (rows->runs[i].label == NULL)
            return -ENOMEM;
        for (size_t j = 0; j < i; ++j)
            apart = apart && strcmp(rows->runs[i].label, rows->runs[j].label) != 0;
    }
    for (size_t i = 0; i < rows->run_count && !apart; ++i) {
        free(rows->runs[i].label);
        if (asprintf(&rows->runs[i].label, "run %zu", i + 1) < 0) {
            rows->runs[i].label = NULL;
            return -ENOMEM;
        }
    }
    return 0;
}

static bool is_elsewhere(const struct results_rows *rows, const struct results_row *row)
{
    for (size_t i = 0; i < rows->count; ++i)
        if (rows->rows[i].run != row->run && strcmp(rows->rows[i].driver, row->driver) == 0)
            return true;
    return false;
}

static int label_row(const struct results_rows *rows, struct results_row *row)
{
    if (!is_elsewhere(rows, row)) {
        row->label = strdup(row->driver);
        return row->label ? 0 : -ENOMEM;
    }
    if (asprintf(&row->label, "%s (%s)", row->driver, rows->runs[row->run].label) >= 0)
        return 0;
    row->label = NULL;
    return -ENOMEM;
}

static int compare_samples(const void *left, const void *right)
{
    const struct results_cell *a = ((const struct results_sample *)left)->cell;
    const struct results_cell *b = ((const struct results_sample *)right)->cell;
    return (a->block > b->block) - (a->block < b->block);
}

static double samples_of(const struct results_cell *cell)
{
    return cell->histogram.total > 0 ? (double)cell->histogram.total : results_number(cell->metrics, "samples");
}

/* A cell in which the machine stood still for most of the time has few samples, and they are not like the others'. */
static int count_samples(struct results_row *row)
{
    double *counts = calloc(row->sample_count + 1, sizeof *counts);
    size_t used = 0;
    if (counts == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < row->sample_count; ++i) {
        counts[used] = row->samples[i].cell->error ? NAN : samples_of(row->samples[i].cell);
        used += isfinite(counts[used]) ? 1 : 0;
    }
    row->usual = results_median(counts, used);
    row->fewest = used ? counts[0] : NAN;
    for (size_t i = 0; i < used; ++i)
        row->thin += counts[i] < row->usual / 10;
    free(counts);
    return 0;
}

/* A driver that cannot have a figure never has one. */
static void judge_applicability(struct results_row *row)
{
    if (row->not_applied == row->sample_count) {
        row->sample_count = 0;
        return;
    }
    if (row->not_applied > 0 && row->error == NULL)
        row->error = "it does not apply in some blocks, and does in others";
    row->failed += row->not_applied;
    row->not_applicable = NULL;
}

/* What can be said of a row only when all of its cells are there. */
static int complete(struct results_rows *rows, struct results_row *row)
{
    int error = label_row(rows, row);
    judge_applicability(row);
    if (row->sample_count)
        qsort(row->samples, row->sample_count, sizeof *row->samples, compare_samples);
    return error ? error : count_samples(row);
}

/* What has no size comes first: compared by its name with some and not with others, it would break any order. */
static int compare_sizes(double a, double b)
{
    a = isnan(a) ? -1 : a;
    b = isnan(b) ? -1 : b;
    return (a > b) - (a < b);
}

/* Blocks are shuffled, so the order of appearance means nothing; by shape, sizes rising as numbers. */
static int compare_rows(const void *left, const void *right)
{
    const struct results_row *a = left, *b = right;
    int order = strcmp(a->family, b->family);
    if (order == 0)
        order = compare_sizes(a->first->size, b->first->size);
    if (order == 0)
        order = strverscmp(a->shape, b->shape);
    if (order == 0)
        order = strcmp(a->driver, b->driver);
    return order ? order : (a->run > b->run) - (a->run < b->run);
}

int results_rows_build(struct results_rows *out, const struct results_run *runs, size_t run_count)
{
    struct results_rows rows = {0};
    int error = 0;
    for (size_t i = 0; i < run_count && error == 0; ++i)
        error = add_file(&rows, &runs[i]);
    if (error == 0)
        error = label_runs(&rows);
    for (size_t i = 0; i < rows.count && error == 0; ++i)
        error = complete(&rows, &rows.rows[i]);
    if (error) {
        results_rows_free(&rows);
        return error;
    }
    if (rows.count)
        qsort(rows.rows, rows.count, sizeof *rows.rows, compare_rows);
    *out = rows;
    return 0;
}

void results_rows_free(struct results_rows *rows)
{
    for (size_t i = 0; i < rows->count; ++i) {
        results_histogram_free(&rows->rows[i].histogram);
        results_histogram_free(&rows->rows[i].uncorrected);
        for (size_t n = 0; n < rows->rows[i].named_count; ++n)
            results_histogram_free(&rows->rows[i].named[n].histogram);
        free(rows->rows[i].named);
        free(rows->rows[i].samples);
        free(rows->rows[i].shape);
        free(rows->rows[i].label);
    }
    for (size_t i = 0; i < rows->run_count; ++i)
        free(rows->runs[i].label);
    free(rows->rows);
    free(rows->runs);
    *rows = (struct results_rows){0};
}

const struct results_row *results_rows_find(const struct results_rows *rows, const char *label, const char *shape)
{
    for (size_t i = 0; i < rows->count; ++i)
        if (strcmp(rows->rows[i].label, label) == 0 && strcmp(rows->rows[i].shape, shape) == 0)
            return &rows->rows[i];
    return NULL;
}

const struct results_row *results_rows_named(const struct results_rows *rows, size_t run, const char *name)
{
    for (size_t i = 0; i < rows->count; ++i)
        if (rows->rows[i].run == run && strcmp(rows->rows[i].name, name) == 0)
            return &rows->rows[i];
    return NULL;
}

const struct results_row *results_rows_rival(const struct results_rows *rows, const struct results_row *row,
                                             const char *driver)
{
    for (size_t i = 0; i < rows->count; ++i)
        if (rows->rows[i].run == row->run && strcmp(rows->rows[i].driver, driver) == 0 &&
            strcmp(rows->rows[i].shape, row->shape) == 0)
            return &rows->rows[i];
    return NULL;
}

bool results_row_figure(const struct results_row *row)
{
    return row->sample_count > 0 && row->failed == 0 && row->not_applicable == NULL;
}

bool results_row_pinned(const struct results_row *row)
{
    const struct results_run *run = row->sample_count ? row->samples[0].run : NULL;
    const char *pin = run ? results_string(run->header, "pin") : NULL;
    if (strncmp(row->family, "target-", 7) == 0)
        return true;
    return !(pin && strcmp(pin, "none") == 0) && !(row->first->publishers > 1) && !(row->first->subscribers > 1);
}
