#include "estimate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* "close_p50_ns" is the median of the histogram "close"; "p50_ns" of the first one. */
struct percentile {
    const char *name;
    size_t length; /* of the name */
    double fraction;
};

static bool parse(struct percentile *out, const char *metric)
{
    size_t length = strlen(metric), begin, digits;
    if (length < 3 || strcmp(metric + length - 3, "_ns") != 0)
        return false;
    for (begin = length - 3; begin > 0 && metric[begin - 1] != '_';)
        --begin;
    digits = strspn(metric + begin + 1, "0123456789");
    if (metric[begin] != 'p' || digits < 2 || begin + 1 + digits != length - 3)
        return false;
    *out =
        (struct percentile){metric, begin ? begin - 1 : 0, strtod(metric + begin + 1, NULL) / pow(10, (double)digits)};
    return true;
}

double results_fraction(const char *metric)
{
    struct percentile percentile;
    return parse(&percentile, metric) ? percentile.fraction : NAN;
}

static bool is_named(const struct percentile *percentile, const char *name)
{
    return strlen(name) == percentile->length && strncmp(name, percentile->name, percentile->length) == 0;
}

static const struct results_histogram *choose(const struct percentile *percentile,
                                              const struct results_histogram *first,
                                              const struct results_histogram *uncorrected,
                                              const struct results_named *named, size_t count)
{
    const struct results_histogram *chosen = NULL;
    if (is_named(percentile, ""))
        chosen = first;
    else if (is_named(percentile, "uncorrected"))
        chosen = uncorrected;
    for (size_t i = 0; i < count && chosen == NULL; ++i)
        chosen = is_named(percentile, named[i].name) ? &named[i].histogram : NULL;
    return chosen && chosen->total > 0 ? chosen : NULL;
}

static const struct results_histogram *histogram_of(const struct results_cell *cell, const char *metric)
{
    struct percentile percentile;
    return parse(&percentile, metric)
               ? choose(&percentile, &cell->histogram, &cell->uncorrected, cell->named, cell->named_count)
               : NULL;
}

const struct results_histogram *results_row_histogram(const struct results_row *row, const char *metric)
{
    struct percentile percentile;
    return parse(&percentile, metric)
               ? choose(&percentile, &row->histogram, &row->uncorrected, row->named, row->named_count)
               : NULL;
}

double results_cell_metric(const struct results_cell *cell, const char *metric)
{
    const struct results_histogram *histogram = cell->error ? NULL : histogram_of(cell, metric);
    if (histogram)
        return results_histogram_percentile(histogram, results_fraction(metric));
    return cell->error ? NAN : results_number(cell->metrics, metric);
}

/* One block's line of `upto`. */
static void count_upto(uint64_t *upto, const struct results_histogram *merged, const struct results_histogram *block)
{
    uint64_t sum = 0;
    size_t next = 0;
    for (size_t i = 0; i < merged->size; ++i) {
        while (next < block->size && block->buckets[next].value <= merged->buckets[i].value)
            sum += block->buckets[next++].count;
        upto[i] = sum;
    }
}

int results_estimate_merged(struct results_estimate *out, const struct results_row *row, const char *metric)
{
    const struct results_histogram *merged = results_row_histogram(row, metric);
    struct results_estimate estimate = {.merged = merged, .fraction = results_fraction(metric)};
    *out = (struct results_estimate){0};
    if (merged == NULL)
        return 0;
    estimate.upto = calloc(row->sample_count * merged->size + 1, sizeof *estimate.upto);
    if (estimate.upto == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < row->sample_count; ++i) {
        const struct results_cell *cell = row->samples[i].cell;
        const struct results_histogram *block = histogram_of(cell, metric);
        if (block)
            count_upto(estimate.upto + estimate.count++ * merged->size, merged, block);
    }
    *out = estimate;
    return 0;
}

int results_estimate_row(struct results_estimate *out, const struct results_row *row, const char *metric)
{
    const struct results_histogram *merged = results_row_histogram(row, metric);
    struct percentile percentile;
    double *values;
    size_t count = 0;
    int error;
    *out = (struct results_estimate){0};
    if (!results_row_figure(row))
        return 0;
    if (merged)
        return isnan(results_histogram_percentile(merged, results_fraction(metric)))
                   ? 0
                   : results_estimate_merged(out, row, metric);
    if (parse(&percentile, metric) && percentile.length > 0)
        return 0; /* as "cluster_p50_ns": known of each block alone */
    values = calloc(row->sample_count, sizeof *values);
    if (values == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < row->sample_count; ++i) {
        values[count] = results_cell_metric(row->samples[i].cell, metric);
        count += isfinite(values[count]) ? 1 : 0;
    }
    error = results_estimate_values(out, values, count);
    free(values);
    return error;
}

int results_estimate_values(struct results_estimate *out, const double *values, size_t count)
{
    struct results_estimate estimate = {.count = count};
    estimate.values = calloc(count + 1, sizeof *estimate.values);
    estimate.drawn = calloc(count + 1, sizeof *estimate.drawn);
    if (estimate.values == NULL || estimate.drawn == NULL) {
        results_estimate_free(&estimate);
        return -ENOMEM;
    }
    if (count)
        memcpy(estimate.values, values, count * sizeof *values);
    *out = estimate;
    return 0;
}

void results_estimate_free(struct results_estimate *estimate)
{
    free(estimate->values);
    free(estimate->drawn);
    free(estimate->upto);
    *estimate = (struct results_estimate){0};
}

static uint64_t samples_upto(const struct results_estimate *estimate, const size_t *drawn, size_t value)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < estimate->count; ++i)
        sum += estimate->upto[(drawn ? drawn[i] : i) * estimate->merged->size + value];
    return sum;
}

/* The first value that enough samples are not above. */
static double rank_of(const struct results_estimate *estimate, const size_t *drawn)
{
    size_t low = 0, high = estimate->merged->size - 1;
    uint64_t total = samples_upto(estimate, drawn, high);
    uint64_t rank = total - (uint64_t)floor((double)total * (1 - estimate->fraction) + 1e-6);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (samples_upto(estimate, drawn, middle) >= rank)
            high = middle;
        else
            low = middle + 1;
    }
    return estimate->merged->buckets[low].value;
}

double results_estimate_of(struct results_estimate *estimate, const size_t *drawn)
{
    if (estimate->count == 0)
        return NAN;
    if (estimate->upto)
        return rank_of(estimate, drawn);
    for (size_t i = 0; i < estimate->count; ++i)
        estimate->drawn[i] = estimate->values[drawn ? drawn[i] : i];
    return results_median(estimate->drawn, estimate->count);
}
