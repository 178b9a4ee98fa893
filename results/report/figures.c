#include "figures.h"

#include "format.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const figures_rivals[FIGURES_RIVALS] = {"fifo", "tcp"};

static bool has_metric(const struct results_row *row, const char *metric)
{
    for (size_t i = 0; i < row->sample_count; ++i)
        if (!isnan(results_number(row->samples[i].cell->metrics, metric)))
            return true;
    return false;
}

/* The machine's limits are of no family: each has one of these. */
const char *figures_metric(const struct results_row *row)
{
    static const char *const usual[] = {"p50_ns", "messages_per_second", "bytes_per_second", "cpu_seconds_per_million"};
    const struct family *family = family_find(row->family);
    if (row->histogram.total > 0 && (family == NULL || family->measures[1].metric == NULL))
        return "p50_ns";
    for (size_t i = 0; family && family->measures[i].metric; ++i)
        if (has_metric(row, family->measures[i].metric))
            return family->measures[i].metric;
    for (size_t i = 0; family == NULL && i < sizeof usual / sizeof usual[0]; ++i)
        if (has_metric(row, usual[i]))
            return usual[i];
    return family ? family->measures[0].metric : "one_way_ns";
}

struct results_ratio figures_better(const struct results_rows *rows, const struct results_row *row,
                                    const struct results_row *base, const char *metric)
{
    struct results_ratio ratio = {.why = "not measured", .spread = {0, NAN, NAN, NAN, false}};
    if (base == NULL || base == row || !results_row_figure(row) || !results_row_figure(base))
        return ratio;
    ratio = results_compare(rows, row, base, metric);
    if (ratio.spread.count && !results_more_is_better(metric))
        ratio.spread = results_inverse(ratio.spread);
    return ratio;
}

static const struct results_limit *limit_named(const struct results_limit *limits, size_t count, const char *name)
{
    for (size_t i = 0; i < count; ++i)
        if (strcmp(limits[i].name, name) == 0)
            return &limits[i];
    return NULL;
}

static bool beside(const struct results_row *one, const struct results_row *other)
{
    return one->run == other->run && strcmp(one->shape, other->shape) == 0 && results_row_figure(other);
}

/* Whether nobody beat it, of those that were measured beside the row. */
static bool holds_for_all(const struct results_rows *rows, const struct results_row *row, const char *metric,
                          const char *name)
{
    for (size_t i = 0; i < rows->count; ++i) {
        struct results_limit limits[RESULTS_LIMITS];
        const struct results_limit *limit;
        size_t count = beside(row, &rows->rows[i]) ? results_limits(rows, &rows->rows[i], metric, false, limits) : 0;
        limit = limit_named(limits, count, name);
        if (limit && limit->beaten)
            return false;
    }
    return true;
}

/* The tightest that nobody beat, as the first row of the shape has it: in other rows' blocks two that are near to each
 * other may stand the other way round, and what is compared must be compared with the same. "" if there is none. */
static void choose(char *name, size_t size, const struct results_rows *rows, const struct results_row *row,
                   const char *metric)
{
    *name = '\0';
    for (size_t i = 0; i < rows->count; ++i) {
        struct results_limit limits[RESULTS_LIMITS];
        size_t count = beside(row, &rows->rows[i]) ? results_limits(rows, &rows->rows[i], metric, false, limits) : 0;
        for (size_t l = 0; l < count && *name == '\0'; ++l)
            if (holds_for_all(rows, row, metric, limits[l].name))
                snprintf(name, size, "%s", limits[l].name);
        if (count)
            return;
    }
}

/* The distance to what was chosen, else to what the row itself did not beat; and all that it did. */
static void find_limits(struct row_figures *out, const struct results_rows *rows, const struct results_row *row,
                        const char *metric)
{
    struct results_limit limits[RESULTS_LIMITS];
    const struct results_limit *chosen;
    size_t count = results_limits(rows, row, metric, false, limits);
    char name[sizeof limits[0].name];
    choose(name, sizeof name, rows, row, metric);
    chosen = limit_named(limits, count, name);
    out->limit = (struct results_limit){.distance = {.why = "not measured"}};
    for (size_t i = 0; i < count; ++i)
        if (limits[i].beaten)
            out->beaten[out->beaten_count++] = limits[i];
    for (size_t i = 0; i < count && chosen == NULL; ++i)
        if (!limits[i].beaten)
            chosen = &limits[i];
    if (chosen)
        out->limit = *chosen;
}

static struct results_limit share_of(const struct results_rows *rows, const struct results_row *row, const char *metric)
{
    struct results_limit limits[RESULTS_LIMITS];
    if (results_limits(rows, row, metric, true, limits) > 0)
        return limits[0];
    return (struct results_limit){.distance = {.why = "not measured"}};
}

struct figures_words figures_ratio(const struct results_spread *ratio)
{
    struct figures_words out = {"–"};
    if (ratio->count == 1)
        snprintf(out.text, sizeof out.text, "%s (one block)", format_ratio(ratio->median).text);
    else if (ratio->count)
        snprintf(out.text, sizeof out.text, "%s (%s–%s)", format_ratio(ratio->median).text,
                 format_factor(ratio->low).text, format_factor(ratio->high).text);
    return out;
}

struct figures_words figures_beats(const struct results_limit *beaten)
{
    struct results_spread by = results_inverse(beaten->distance.spread);
    struct figures_words out;
    snprintf(out.text, sizeof out.text, "beats %s by %.200s", beaten->name, figures_ratio(&by).text);
    return out;
}

struct row_figures figures_of(const struct results_rows *rows, const struct results_row *row, const char *metric)
{
    struct row_figures out = {.tail = NAN, .value = {0, NAN, NAN, NAN, false}};
    if (!results_row_figure(row))
        return out;
    out.value = results_row_metric(row, metric);
    if (strcmp(metric, "p50_ns") == 0)
        out.tail = results_histogram_percentile(&row->histogram, 0.99);
    if (strcmp(row->driver, "limit") == 0)
        return out;
    find_limits(&out, rows, row, metric);
    out.share = share_of(rows, row, metric);
    for (size_t i = 0; i < FIGURES_RIVALS; ++i)
        out.better[i] = figures_better(rows, row, results_rows_rival(rows, row, figures_rivals[i]), metric).spread;
    out.first = figures_better(rows, row, row->run > 0 ? results_rows_named(rows, 0, row->name) : NULL, metric);
    return out;
}
