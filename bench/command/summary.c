#include "summary.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "session.h"

static const struct ratio no_ratio = {NAN, 0, NAN, NAN};

/* Room for one row's samples, three times, and for ratios. */
struct scratch {
    struct sample *own, *other;
    double *values;
};

static struct ratio take_ratio(double *ratios, size_t pairs)
{
    struct ratio ratio = {.median = statistics_median(ratios, pairs), .pairs = pairs, .low = NAN, .high = NAN};
    size_t low, high;

    if (statistics_median_ranks(pairs, &low, &high)) {
        ratio.low = ratios[low]; /* the median has sorted them */
        ratio.high = ratios[high];
    }
    return ratio;
}

/* limit/bare-ring/SIZE of the size that the row has. */
static const struct tally_row *find_ring(const struct tally *tally, const struct row *row)
{
    for (size_t i = 0; i < tally->count; ++i)
        if (tally->rows[i].row->family == ROW_LIMIT_RING && tally->rows[i].row->size == row->size)
            return &tally->rows[i];
    return NULL;
}

/* The row of another driver that is the same in all else. */
static const struct tally_row *find_rival(const struct tally *tally, const struct row *row, const char *driver)
{
    for (size_t i = 0; i < tally->count; ++i) {
        const struct row *other = tally->rows[i].row;
        if (other->family == row->family && other->size == row->size && other->publishers == row->publishers &&
            other->subscribers == row->subscribers && other->rate == row->rate && strcmp(other->driver, driver) == 0)
            return &tally->rows[i];
    }
    return NULL;
}

/* Lower is better: by the line around the cell itself. Higher is better: by the ring in the same block. */
static void compare_with_limit(const struct tally *tally, struct summary_row *out, struct scratch *scratch)
{
    const struct row *row = out->row->row;
    const struct tally_row *ring = find_ring(tally, row);
    size_t own, other;

    if (row->family == ROW_HOT || row->family == ROW_LIMIT_RING_HOT) {
        out->limit_name = "line";
        own = tally_samples(tally, out->row, scratch->own);
        other = tally_lines(tally, out->row, scratch->other);
    } else if (row->family == ROW_THROUGHPUT && ring != NULL && ring->error[0] == '\0') {
        out->limit_name = "bare ring";
        own = tally_class_samples(tally, out->row, scratch->own);
        other = tally_class_samples(tally, ring, scratch->other);
    } else {
        return;
    }
    out->limit =
        take_ratio(scratch->values, statistics_pair(scratch->own, own, scratch->other, other, scratch->values));
}

static struct ratio compare_with_rival(const struct tally *tally, const struct tally_row *row, const char *driver,
                                       struct scratch *scratch)
{
    const struct tally_row *rival = find_rival(tally, row->row, driver);
    size_t own, other, pairs;

    if (rival == NULL || rival == row || row_is_limit(row->row) || rival->error[0] != '\0')
        return no_ratio;
    own = tally_class_samples(tally, row, scratch->own);
    other = tally_class_samples(tally, rival, scratch->other);
    pairs = tally_lower_is_better(row->row)
                ? statistics_pair(scratch->other, other, scratch->own, own, scratch->values)
                : statistics_pair(scratch->own, own, scratch->other, other, scratch->values);
    return take_ratio(scratch->values, pairs);
}

static double median_bytes(const struct tally *tally, const struct tally_row *row, double *values)
{
    size_t count = 0;

    for (unsigned block = 0; block < tally->blocks; ++block)
        if (row->cells[block].done && !isnan(row->cells[block].bytes_per_second))
            values[count++] = row->cells[block].bytes_per_second;
    return statistics_median(values, count);
}

static void summarize_row(const struct tally *tally, struct summary_row *out, struct scratch *scratch)
{
    const struct tally_row *row = out->row;

    out->figures = tally_samples(tally, row, scratch->own);
    out->median = out->low = out->high = out->bytes_per_second = out->p99 = NAN;
    out->limit = out->fifo = out->tcp = no_ratio;
    if (row->error[0] != '\0' || out->figures == 0)
        return;
    for (size_t i = 0; i < out->figures; ++i)
        scratch->values[i] = scratch->own[i].value;
    out->median = statistics_median(scratch->values, out->figures); /* sorts them */
    out->low = scratch->values[0];
    out->high = scratch->values[out->figures - 1];
    out->bytes_per_second = median_bytes(tally, row, scratch->values);
    if (row->histogram != NULL && statistics_percentile_holds(99, row->histogram->total))
        out->p99 = (double)ipcmark_histogram_percentile(row->histogram, 99);
    compare_with_limit(tally, out, scratch);
    out->fifo = compare_with_rival(tally, row, "fifo", scratch);
    out->tcp = compare_with_rival(tally, row, "tcp", scratch);
}

int summary_make(const struct tally *tally, struct summary_row *out)
{
    struct scratch scratch = {.own = calloc(LINE_CLASSES * (size_t)tally->blocks, sizeof *scratch.own),
                              .other = calloc(LINE_CLASSES * (size_t)tally->blocks, sizeof *scratch.other),
                              .values = calloc(LINE_CLASSES * (size_t)tally->blocks, sizeof *scratch.values)};
    int result = scratch.own == NULL || scratch.other == NULL || scratch.values == NULL ? -ENOMEM : 0;

    for (size_t i = 0; result == 0 && i < tally->count; ++i) {
        out[i] = (struct summary_row){.row = &tally->rows[i]};
        summarize_row(tally, &out[i], &scratch);
    }
    free(scratch.own);
    free(scratch.other);
    free(scratch.values);
    return result;
}

static void doubt(char *text, size_t text_size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void doubt(char *text, size_t text_size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text + used, text_size - used, format, arguments);
    va_end(arguments);
}

struct counts {
    size_t cells, failed, placed, mixed, classes;
};

static struct counts count_cells(const struct tally *tally)
{
    struct counts counts = {0};
    bool seen[LINE_CLASSES] = {false};

    for (size_t i = 0; i < tally->count; ++i)
        for (unsigned block = 0; block < tally->blocks; ++block) {
            const struct tally_cell *cell = &tally->rows[i].cells[block];
            if (!cell->done)
                continue;
            ++counts.cells;
            counts.failed += isnan(cell->figure) && !cell->not_applicable;
            counts.placed += cell->placement != NULL;
            counts.mixed += cell->placement != NULL && strcmp(cell->placement, "mixed") == 0;
            for (size_t name = 0; cell->placement != NULL && name < LINE_CLASSES; ++name)
                seen[name] = seen[name] || strcmp(cell->placement, line_classes[name]) == 0;
        }
    for (size_t i = 0; i < LINE_CLASSES; ++i)
        counts.classes += seen[i];
    return counts;
}

void summary_doubts(const struct tally *tally, const struct session_sums *sums, const char *flags, char *text,
                    size_t text_size)
{
    struct counts counts = count_cells(tally);
    double cpus = (double)sysconf(_SC_NPROCESSORS_ONLN);

    text[0] = '\0';
    if (counts.failed > 0)
        doubt(text, text_size, "%zu of %zu cells are errors.\n", counts.failed, counts.cells);
    if (counts.cells < tally->planned)
        doubt(text, text_size, "Only %zu of %zu cells were measured.\n", counts.cells, tally->planned);
    if (tally->blocks < 10)
        doubt(text, text_size, "%u blocks are too few for a median that holds (10 or more).\n", tally->blocks);
    if (sums->load > 0.25 * cpus)
        doubt(text, text_size, "The machine was not idle: load %.2f on %.0f CPUs when the run began, or went on.\n",
              sums->load, cpus);
    if (sums->seconds > 0 && sums->steal_ns / 1e9 > 0.01 * sums->seconds * cpus)
        doubt(text, text_size, "The hypervisor gave %.1f %% of the CPU time to others (steal).\n",
              sums->steal_ns / 1e7 / (sums->seconds * cpus));
    if (counts.mixed * 10 > counts.placed)
        doubt(text, text_size,
              "The CPUs moved during %zu of %zu cells (placement mixed); they are in no ratio to a limit.\n",
              counts.mixed, counts.placed);
    if (counts.classes > 1)
        doubt(text, text_size, "The CPUs were in %zu placements: absolute figures mix them, ratios do not.\n",
              counts.classes);
    if (counts.placed == 0)
        doubt(text, text_size, "Where the CPUs are to each other could not be measured.\n");
    if (flags != NULL && strstr(flags, "-O2") == NULL && strstr(flags, "-O3") == NULL)
        doubt(text, text_size, "The build is not an optimised one (preset release or bench).\n");
}

const char *ratio_verdict(const struct ratio *ratio, double bound, bool at_most)
{
    /* an end that is not known is on neither side */
    bool all_reach = at_most ? ratio->high <= bound : ratio->low >= bound;
    bool none_reaches = at_most ? ratio->low > bound : ratio->high < bound;

    if (all_reach || none_reaches)
        return all_reach ? "reached" : "not reached";
    return (at_most ? ratio->median <= bound : ratio->median >= bound) ? "perhaps reached" : "perhaps not reached";
}
