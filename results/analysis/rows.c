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

static struct results_row *row_of(struct results_rows *rows, const struct results_cell *cell)
{
    struct results_row *grown;
    char *shape;
    for (size_t i = 0; i < rows->count; ++i)
        if (strcmp(rows->rows[i].name, cell->row) == 0 && strcmp(rows->rows[i].driver, cell->driver) == 0)
            return &rows->rows[i];
    shape = shape_of(cell);
    grown = shape ? reallocarray(rows->rows, rows->count + 1, sizeof *grown) : NULL;
    if (grown == NULL) {
        free(shape);
        return NULL;
    }
    rows->rows = grown;
    grown[rows->count] = (struct results_row){
        .name = cell->row, .family = cell->family, .driver = cell->driver, .shape = shape, .first = cell};
    return &grown[rows->count++];
}

static int add_cell(struct results_rows *rows, const struct results_run *run, const struct results_cell *cell)
{
    struct results_row *row = row_of(rows, cell);
    struct results_sample *grown = row ? reallocarray(row->samples, row->sample_count + 1, sizeof *grown) : NULL;
    int error = 0;
    if (grown == NULL)
        return -ENOMEM;
    row->samples = grown;
    grown[row->sample_count++] = (struct results_sample){run, cell};
    if (cell->error) {
        if (row->failed++ == 0)
            row->error = cell->error;
        return 0;
    }
    error = results_histogram_merge(&row->histogram, &cell->histogram);
    return error ? error : results_histogram_merge(&row->uncorrected, &cell->uncorrected);
}

/* Blocks are shuffled, so the order of appearance means nothing; by shape, sizes rising as numbers. */
static int compare_rows(const void *left, const void *right)
{
    const struct results_row *a = left, *b = right;
    int order = strcmp(a->family, b->family);
    if (order == 0 && a->first->size != b->first->size && !isnan(a->first->size) && !isnan(b->first->size))
        order = a->first->size < b->first->size ? -1 : 1;
    if (order == 0)
        order = strverscmp(a->shape, b->shape);
    return order ? order : strcmp(a->driver, b->driver);
}

int results_rows_build(struct results_rows *out, const struct results_run *runs, size_t run_count)
{
    struct results_rows rows = {0};
    int error = 0;
    for (size_t r = 0; r < run_count && error == 0; ++r)
        for (size_t c = 0; c < runs[r].cell_count && error == 0; ++c)
            error = add_cell(&rows, &runs[r], &runs[r].cells[c]);
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
        free(rows->rows[i].samples);
        free(rows->rows[i].shape);
    }
    free(rows->rows);
    *rows = (struct results_rows){0};
}

const struct results_row *results_rows_find(const struct results_rows *rows, const char *driver, const char *shape)
{
    for (size_t i = 0; i < rows->count; ++i)
        if (strcmp(rows->rows[i].driver, driver) == 0 && strcmp(rows->rows[i].shape, shape) == 0)
            return &rows->rows[i];
    return NULL;
}

/* The fraction that "p50_ns", "p99_ns" or "p999_ns" (99.9 %) names, or NAN. */
static double fraction_of(const char *metric)
{
    size_t digits = *metric == 'p' ? strspn(metric + 1, "0123456789") : 0;
    if (digits < 2 || strcmp(metric + 1 + digits, "_ns") != 0)
        return NAN;
    return strtod(metric + 1, NULL) / pow(10, (double)digits);
}

static double metric_of(const struct results_cell *cell, const char *metric)
{
    double fraction = fraction_of(metric);
    if (cell->error)
        return NAN;
    if (cell->histogram.total > 0 && !isnan(fraction))
        return results_histogram_percentile(&cell->histogram, fraction);
    return results_number(cell->metrics, metric);
}

/* A cell's figure in one placement of the CPUs. A cell that was measured in rounds has one for each class it saw. */
struct placed {
    const char *placement;
    double value;
};

static size_t placed_figures(const struct results_cell *cell, const char *metric, struct placed out[3])
{
    static const char *const classes[] = {"siblings", "cluster", "distant"};
    size_t count = 0;
    for (int i = 0; i < 3 && !cell->error; ++i) {
        char name[96];
        snprintf(name, sizeof name, "%s_%s", classes[i], metric);
        out[count] = (struct placed){classes[i], results_number(cell->metrics, name)};
        count += isnan(out[count].value) ? 0 : 1;
    }
    if (count == 0 && cell->placement && strcmp(cell->placement, "mixed") != 0) {
        out[0] = (struct placed){cell->placement, metric_of(cell, metric)};
        count = isnan(out[0].value) ? 0 : (size_t)1;
    }
    return count;
}

/* The cell of `base` that ran in the same block, or NULL. */
static const struct results_cell *beside(const struct results_sample *sample, const struct results_row *base)
{
    for (size_t i = 0; i < base->sample_count; ++i)
        if (base->samples[i].run == sample->run && base->samples[i].cell->block == sample->cell->block)
            return base->samples[i].cell;
    return NULL;
}

/* The ratio to the cell beside this one: the geometric mean over the placements that both saw, or NAN. Placements of
 * one cell are no independent values: what a block has in common moves them all. */
static double ratio_of(const struct results_sample *sample, const struct results_row *base, const char *metric)
{
    const struct results_cell *other = beside(sample, base);
    struct placed own[3], theirs[3];
    size_t own_count = other ? placed_figures(sample->cell, metric, own) : 0, count = 0;
    double sum = 0;
    size_t their_count = other ? placed_figures(other, metric, theirs) : 0;
    for (size_t i = 0; i < own_count; ++i)
        for (size_t j = 0; j < their_count; ++j)
            if (strcmp(own[i].placement, theirs[j].placement) == 0 && own[i].value > 0 && theirs[j].value > 0) {
                sum += log(own[i].value / theirs[j].value);
                ++count;
            }
    return count ? exp(sum / (double)count) : NAN;
}

static double line_of(const struct results_cell *cell)
{
    return cell->placement && strcmp(cell->placement, "mixed") == 0 ? NAN
                                                                    : (cell->line_before_ns + cell->line_after_ns) / 2;
}

static double value_of(const struct results_sample *sample, const struct results_row *base, bool line,
                       const char *metric)
{
    if (base)
        return ratio_of(sample, base, metric);
    return metric_of(sample->cell, metric) / (line ? line_of(sample->cell) : 1);
}

static struct results_spread collect(const struct results_row *row, const struct results_row *base, bool line,
                                     const char *metric)
{
    double *values = calloc(row->sample_count + 1, sizeof *values);
    struct results_spread spread;
    size_t count = 0;
    for (size_t i = 0; values && i < row->sample_count; ++i) {
        values[count] = value_of(&row->samples[i], base, line, metric);
        count += isfinite(values[count]) ? 1 : 0;
    }
    spread = results_spread(values, count);
    free(values);
    return spread;
}

struct results_spread results_row_metric(const struct results_row *row, const char *metric)
{
    return collect(row, NULL, false, metric);
}

struct results_spread results_row_ratio(const struct results_row *row, const struct results_row *base,
                                        const char *metric)
{
    return collect(row, base, false, metric);
}

struct results_spread results_row_line_ratio(const struct results_row *row, const char *metric)
{
    return collect(row, NULL, true, metric);
}

bool results_row_figure(const struct results_row *row)
{
    return row->sample_count > 0 && row->failed == 0;
}

size_t results_row_placements(const struct results_row *row, const char *placement)
{
    size_t count = 0;
    for (size_t i = 0; i < row->sample_count; ++i) {
        const char *of_cell = row->samples[i].cell->placement;
        count += placement && of_cell ? strcmp(placement, of_cell) == 0 : placement == of_cell;
    }
    return count;
}
