/* The figures of a row, and how sure they are. */
#include "estimate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The same report of the same file is the same to the last digit. */
enum { SEED = 1 };

static double estimate_of(void *context, const size_t *drawn, const size_t *other)
{
    (void)other;
    return results_estimate_of(context, drawn);
}

/* With too few blocks for an interval: from the lowest block to the highest, but only if each has such a figure, or it
 * would be the range of the fast ones. */
static void take_range(struct results_spread *spread, const struct results_row *row, const char *metric)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < row->sample_count; ++i) {
        double value = results_cell_metric(row->samples[i].cell, metric);
        if (isnan(value))
            return;
        low = fmin(low, value);
        high = fmax(high, value);
    }
    spread->low = low;
    spread->high = high;
}

/* Blocks drawn anew; NANs: too few of them. */
static struct results_interval draw_blocks(struct results_estimate *estimate)
{
    struct results_resampling resampling = {
        .count = estimate->count, .statistic = estimate_of, .context = estimate, .seed = SEED};
    struct results_interval interval = {NAN, NAN};
    return results_resample(&interval, &resampling, 0.95) < 0 ? (struct results_interval){NAN, NAN} : interval;
}

static struct results_spread spread_of_merged(struct results_estimate *estimate, const struct results_row *row,
                                              const char *metric)
{
    struct results_interval interval = draw_blocks(estimate);
    struct results_spread spread = {.count = estimate->count,
                                    .median = results_estimate_of(estimate, NULL),
                                    .low = interval.low,
                                    .high = interval.high,
                                    .interval = !isnan(interval.low)};
    if (!spread.interval)
        take_range(&spread, row, metric);
    return spread;
}

/* Blocks drawn anew know nothing beyond the slowest sample, and ranks nothing of blocks that differ: the wider of the
 * two at either end. */
struct results_spread results_row_tail(const struct results_row *row, const char *metric)
{
    const struct results_histogram *all = results_row_histogram(row, metric);
    struct results_spread spread = {.median = NAN, .low = NAN, .high = NAN};
    struct results_estimate estimate;
    struct results_interval blocks;
    size_t low, high;
    if (!results_row_figure(row) || all == NULL || results_estimate_merged(&estimate, row, metric) < 0)
        return spread;
    blocks = draw_blocks(&estimate);
    spread.count = all->total;
    spread.median = results_estimate_of(&estimate, NULL);
    spread.interval = !isnan(blocks.low) && results_ranks(all->total, results_fraction(metric), &low, &high);
    if (spread.interval) {
        spread.low = fmin(blocks.low, results_histogram_value(all, low + 1));
        spread.high = high < all->total ? fmax(blocks.high, results_histogram_value(all, high + 1)) : NAN;
    }
    results_estimate_free(&estimate);
    return spread;
}

/* The highest of all has no interval: the next run may see any. */
static struct results_spread highest(const struct results_row *row)
{
    struct results_spread spread = {.count = row->sample_count, .low = NAN, .high = NAN};
    spread.median = results_histogram_max(&row->histogram);
    return spread;
}

struct results_spread results_row_metric(const struct results_row *row, const char *metric)
{
    struct results_spread spread = {.median = NAN, .low = NAN, .high = NAN};
    struct results_estimate estimate;
    if (strcmp(metric, "max_ns") == 0 && results_row_figure(row) && row->histogram.total > 0)
        return highest(row);
    if (results_estimate_row(&estimate, row, metric) < 0)
        return spread;
    if (estimate.upto)
        spread = spread_of_merged(&estimate, row, metric);
    else if (estimate.count)
        spread = results_spread(estimate.values, estimate.count);
    results_estimate_free(&estimate);
    return spread;
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

static bool is_placed(const struct results_cell *cell, const char *placement)
{
    return cell->error == NULL && cell->placement && strcmp(cell->placement, placement) == 0;
}

struct results_spread results_rows_line(const struct results_row *rows, size_t count, size_t run, const char *placement)
{
    struct results_spread spread;
    size_t room = 0, used = 0;
    double *lines;
    for (size_t r = 0; r < count; ++r)
        room += rows[r].sample_count;
    lines = calloc(room + 1, sizeof *lines);
    for (size_t r = 0; lines && r < count; ++r)
        for (size_t i = 0; i < rows[r].sample_count && rows[r].run == run; ++i) {
            const struct results_cell *cell = rows[r].samples[i].cell;
            lines[used] = (cell->line_before_ns + cell->line_after_ns) / 2;
            used += is_placed(cell, placement) && isfinite(lines[used]) ? 1 : 0;
        }
    spread = results_spread(lines, used);
    free(lines);
    return spread;
}
