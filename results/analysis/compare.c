#include "compare.h"

#include "estimate.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEED = 1, CLASSES = 3 };
static const char *const classes[CLASSES] = {"siblings", "cluster", "distant"};

bool results_more_is_better(const char *metric)
{
    size_t length = strlen(metric), end = strlen("_per_second");
    return length >= end && strcmp(metric + length - end, "_per_second") == 0;
}

struct results_spread results_inverse(struct results_spread spread)
{
    struct results_spread out = spread;
    out.median = 1 / spread.median;
    out.low = 1 / spread.high;
    out.high = 1 / spread.low;
    return out;
}

/* Where the CPUs are does not show beside a sleeping reader, a new process or an idle one. */
static bool is_hot(const struct results_row *row)
{
    static const char *const others[] = {"wakeup",      "cost",         "lifecycle",     "target-wakeup",
                                         "target-idle", "target-pairs", "target-attach", "target-death"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; ++i)
        if (strcmp(row->family, others[i]) == 0)
            return false;
    return true;
}

static bool has_class(const struct results_row *row)
{
    return is_hot(row) && results_row_pinned(row);
}

/* A cell's figure in one placement of the CPUs. A cell that was measured in rounds has one for each class it saw; one
 * of no class is like any other of none. */
struct placed {
    const char *placement;
    double value;
};

static double in_class(const struct results_cell *cell, const char *class, const char *metric)
{
    char name[96];
    snprintf(name, sizeof name, "%s_%s", class, metric);
    return results_number(cell->metrics, name);
}

bool results_cell_has(const struct results_cell *cell, const char *metric)
{
    for (size_t i = 0; i < CLASSES; ++i)
        if (!isnan(in_class(cell, classes[i], metric)))
            return true;
    return !isnan(results_cell_metric(cell, metric));
}

static size_t placed_figures(const struct results_cell *cell, const char *metric, bool by_class,
                             struct placed out[CLASSES])
{
    size_t count = 0;
    for (size_t i = 0; i < CLASSES && by_class && !cell->error; ++i) {
        out[count] = (struct placed){classes[i], in_class(cell, classes[i], metric)};
        count += isnan(out[count].value) ? 0 : 1;
    }
    if (count > 0 || (by_class && cell->placement && strcmp(cell->placement, "mixed") == 0))
        return count;
    out[0] = (struct placed){by_class && cell->placement ? cell->placement : "", results_cell_metric(cell, metric)};
    return isnan(out[0].value) ? 0 : (size_t)1;
}

/* The cell of `base` that ran in the same block, or NULL. */
static const struct results_cell *beside(const struct results_cell *cell, const struct results_row *base)
{
    for (size_t i = 0; i < base->sample_count; ++i)
        if (base->samples[i].cell->block == cell->block)
            return base->samples[i].cell;
    return NULL;
}

/* The geometric mean over the placements that both saw, or NAN. */
static double ratio_of(const struct results_cell *cell, const struct results_cell *other, const char *metric,
                       bool by_class)
{
    struct placed own[CLASSES], theirs[CLASSES];
    size_t own_count = placed_figures(cell, metric, by_class, own), count = 0;
    size_t their_count = placed_figures(other, metric, by_class, theirs);
    double sum = 0;
    for (size_t i = 0; i < own_count; ++i)
        for (size_t j = 0; j < their_count; ++j)
            if (strcmp(own[i].placement, theirs[j].placement) == 0 && own[i].value > 0 && theirs[j].value > 0) {
                sum += log(own[i].value / theirs[j].value);
                ++count;
            }
    return count ? exp(sum / (double)count) : NAN;
}

/* A cell that had time for a few slow messages only has a median and no p99: also in one of the classes that it saw. */
static bool lacks(const struct results_cell *cell, const char *metric)
{
    if (cell->error)
        return false;
    for (size_t i = 0; i < CLASSES; ++i)
        if (!isnan(in_class(cell, classes[i], "p50_ns")) && isnan(in_class(cell, classes[i], metric)))
            return true;
    return isnan(results_cell_metric(cell, metric));
}

static bool any_lacks(const struct results_row *row, const char *metric)
{
    bool lacking = false;
    for (size_t i = 0; i < row->sample_count && !isnan(results_fraction(metric)); ++i)
        lacking = lacking || lacks(row->samples[i].cell, metric);
    return lacking;
}

/* Why two rows have no pairs whatever their blocks hold, or NULL. */
static const char *hindrance(const struct results_row *row, const struct results_row *base, const char *metric)
{
    if (!results_row_figure(row))
        return row->not_applicable ? "it does not apply" : "its row is an error";
    if (!results_row_figure(base))
        return base->not_applicable ? "it does not apply to what it would be compared with"
                                    : "the row that it would be compared with is an error";
    return any_lacks(row, metric) || any_lacks(base, metric) ? "a cell was too slow to have such a percentile" : NULL;
}

size_t results_pairs(const struct results_row *row, const struct results_row *base, const char *metric,
                     struct results_pair *out)
{
    bool by_class = has_class(row) && has_class(base);
    size_t count = 0;
    if (row->run != base->run || hindrance(row, base, metric))
        return 0;
    for (size_t i = 0; i < row->sample_count; ++i) {
        const struct results_cell *cell = row->samples[i].cell, *other = beside(cell, base);
        double ratio = other ? ratio_of(cell, other, metric, by_class) : NAN;
        if (isfinite(ratio))
            out[count++] = (struct results_pair){cell->block, ratio};
    }
    return count;
}

size_t results_line_pairs(const struct results_row *row, const char *metric, struct results_pair *out)
{
    size_t count = 0;
    if (hindrance(row, row, metric))
        return 0;
    for (size_t i = 0; i < row->sample_count; ++i) {
        const struct results_cell *cell = row->samples[i].cell;
        double line = (cell->line_before_ns + cell->line_after_ns) / 2;
        double ratio = results_cell_metric(cell, metric) / line;
        if (isfinite(ratio) && ratio > 0 && !(cell->placement && strcmp(cell->placement, "mixed") == 0))
            out[count++] = (struct results_pair){cell->block, ratio};
    }
    return count;
}

/* The ratios of the pairs, owned by the caller; base NULL: the line. */
static int pair_values(double **out, size_t *count, const struct results_row *row, const struct results_row *base,
                       const char *metric)
{
    struct results_pair *pairs = calloc(row->sample_count + 1, sizeof *pairs);
    double *values = calloc(row->sample_count + 1, sizeof *values);
    if (pairs == NULL || values == NULL) {
        free(pairs);
        free(values);
        return -ENOMEM;
    }
    *count = base ? results_pairs(row, base, metric, pairs) : results_line_pairs(row, metric, pairs);
    for (size_t i = 0; i < *count; ++i)
        values[i] = pairs[i].ratio;
    free(pairs);
    *out = values;
    return 0;
}

static struct results_ratio compare_pairs(const struct results_row *row, const struct results_row *base,
                                          const char *metric)
{
    struct results_ratio ratio = {.spread = results_spread(NULL, 0), .paired = true};
    double *values = NULL;
    size_t count = 0;
    ratio.why = hindrance(row, base ? base : row, metric);
    if (pair_values(&values, &count, row, base, metric) < 0)
        ratio.why = "not enough memory";
    else if (ratio.why == NULL && count == 0)
        ratio.why = "no block has both in one placement of the CPUs";
    ratio.spread = results_spread(values, count);
    free(values);
    return ratio;
}

struct results_spread results_row_line_ratio(const struct results_row *row, const char *metric)
{
    return compare_pairs(row, NULL, metric).spread;
}

struct two {
    struct results_estimate own, theirs;
};

static double ratio_of_two(void *context, const size_t *drawn, const size_t *other)
{
    struct two *two = context;
    return results_estimate_of(&two->own, drawn) / results_estimate_of(&two->theirs, other);
}

/* A row's metric, or, with a limit, what it is of that limit block by block. */
static int estimate_run(struct results_estimate *out, const struct results_row *row, const struct results_limit *limit,
                        const char *metric)
{
    double *values = NULL;
    size_t count = 0;
    int error;
    if (limit == NULL)
        return results_estimate_row(out, row, metric);
    error = pair_values(&values, &count, row, limit->row, limit->metric);
    if (error == 0)
        error = results_estimate_values(out, values, count);
    free(values);
    return error;
}

/* What the ratio would be of one block of each alone, the smallest and the largest: where they are too few for an
 * interval. */
static int range_of_two(struct results_interval *out, struct two *two)
{
    size_t most = two->own.count > two->theirs.count ? two->own.count : two->theirs.count;
    size_t *own = calloc(2 * most, sizeof *own);
    if (own == NULL)
        return -ENOMEM;
    out->low = out->high = ratio_of_two(two, NULL, NULL);
    for (size_t i = 0; i < two->own.count * two->theirs.count; ++i) {
        for (size_t j = 0; j < most; ++j) {
            own[j] = i % two->own.count;
            own[most + j] = i / two->own.count;
        }
        double ratio = ratio_of_two(two, own, own + most);
        out->low = fmin(out->low, ratio);
        out->high = fmax(out->high, ratio);
    }
    free(own);
    return 0;
}

static int spread_of_two(struct results_spread *out, struct two *two)
{
    struct results_interval interval = {NAN, NAN};
    struct results_resampling resampling = {.count = two->own.count,
                                            .other_count = two->theirs.count,
                                            .statistic = ratio_of_two,
                                            .context = two,
                                            .seed = SEED};
    int error = results_resample(&interval, &resampling, 0.95);
    bool sure = !isnan(interval.low);
    if (error == 0 && !sure)
        error = range_of_two(&interval, two);
    *out = (struct results_spread){.count = two->own.count < two->theirs.count ? two->own.count : two->theirs.count,
                                   .median = ratio_of_two(two, NULL, NULL),
                                   .low = interval.low,
                                   .high = interval.high,
                                   .interval = sure};
    return error;
}

/* The tightest limit that both were measured beside: a limit of each run, or false. */
static bool common_limit(struct results_limit *own, struct results_limit *theirs, const struct results_rows *rows,
                         const struct results_row *row, const struct results_row *base, const char *metric)
{
    struct results_limit all[RESULTS_LIMITS], others[RESULTS_LIMITS];
    size_t count = results_limits(rows, row, metric, false, all);
    size_t other_count = results_limits(rows, base, metric, false, others);
    for (size_t i = 0; i < count; ++i)
        for (size_t j = 0; j < other_count; ++j)
            if (strcmp(all[i].name, others[j].name) == 0 && strcmp(all[i].metric, others[j].metric) == 0) {
                *own = all[i];
                *theirs = others[j];
                return true;
            }
    return false;
}

static int compare_estimates(struct results_ratio *ratio, struct two *two)
{
    if (two->own.count > 0 && two->theirs.count > 0)
        return spread_of_two(&ratio->spread, two);
    ratio->why = "one of the runs has no such figure";
    return 0;
}

static struct results_ratio compare_runs(const struct results_rows *rows, const struct results_row *row,
                                         const struct results_row *base, const char *metric)
{
    struct results_ratio ratio = {.spread = results_spread(NULL, 0), .why = hindrance(row, base, metric)};
    struct results_limit own, theirs;
    struct two two = {0};
    int error;
    if (ratio.why)
        return ratio;
    ratio.normalised = common_limit(&own, &theirs, rows, row, base, metric);
    error = estimate_run(&two.own, row, ratio.normalised ? &own : NULL, metric);
    if (error == 0)
        error = estimate_run(&two.theirs, base, ratio.normalised ? &theirs : NULL, metric);
    if (error == 0)
        error = compare_estimates(&ratio, &two);
    if (error)
        ratio.why = "not enough memory";
    results_estimate_free(&two.own);
    results_estimate_free(&two.theirs);
    return ratio;
}

struct results_ratio results_compare(const struct results_rows *rows, const struct results_row *row,
                                     const struct results_row *base, const char *metric)
{
    return row->run == base->run ? compare_pairs(row, base, metric) : compare_runs(rows, row, base, metric);
}
