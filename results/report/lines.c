/* A metric as lines over message size, or over the number of publishers or subscribers. */
#include "format.h"
#include "parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES = 64, LIMITS = 6 };

static double place(const struct lines *lines, const struct results_row *row)
{
    if (lines->along == ALONG_SIZE)
        return row->first->size;
    return lines->along == ALONG_SUBSCRIBERS ? row->first->subscribers : row->first->publishers;
}

/* One to one is where fan-out and fan-in start, and those rows are of the family throughput. */
static bool of_family(const struct lines *lines, const struct results_row *row)
{
    return strcmp(row->family, lines->family) == 0 ||
           (lines->along != ALONG_SIZE && strcmp(row->family, "throughput") == 0 && row->first->subscribers == 1);
}

static bool fits(const struct lines *lines, const struct results_row *row)
{
    const struct results_cell *cell = row->first;
    if (!of_family(lines, row) || isnan(place(lines, row)) || strcmp(row->driver, "limit") == 0)
        return false;
    if ((lines->rate > 0 && cell->rate != lines->rate) || (lines->along != ALONG_SIZE && cell->size != lines->size))
        return false;
    switch (lines->along) {
    case ALONG_SIZE:
        return cell->publishers == 1 && cell->subscribers == 1;
    case ALONG_SUBSCRIBERS:
        return cell->publishers == 1;
    case ALONG_PUBLISHERS:
        return cell->subscribers == 1;
    default:
        return cell->publishers == cell->subscribers;
    }
}

/* Along the axis: what the rows have, rising, each once. Returns how many. */
static size_t places(const struct report *report, const struct lines *lines, double out[PLACES])
{
    size_t count = 0;
    for (size_t i = 0; i < report->rows.count && count < PLACES; ++i) {
        const struct results_row *row = &report->rows.rows[i];
        double value = place(lines, row);
        size_t at = count;
        if (!fits(lines, row))
            continue;
        while (at > 0 && out[at - 1] > value)
            --at;
        if (at > 0 && out[at - 1] == value)
            continue;
        memmove(out + at + 1, out + at, (count - at) * sizeof *out);
        out[at] = value;
        ++count;
    }
    return count;
}

/* What was not measured has no point, and a line breaks there. */
static void cell(struct page *page, const char *metric, struct results_spread spread, double x, const char *missing)
{
    char at[32], value[32];
    snprintf(at, sizeof at, "%.9g", x);
    if (isnan(spread.median)) {
        page_open(page, "td", "data-x", at, "class", *missing ? "words" : NULL, NULL);
        page_text(page, *missing ? missing : "–");
        page_close(page);
        return;
    }
    snprintf(value, sizeof value, "%.6g", spread.median);
    page_open(page, "td", "data-x", at, "data-y", value, NULL);
    page_text(page, format_metric(metric, spread.median).text);
    if (spread.count > 1 && !isnan(spread.low)) {
        page_text(page, " ");
        page_open(page, "span", "class", "range", NULL);
        page_textf(page, "%s to %s", format_metric(metric, spread.low).text, format_metric(metric, spread.high).text);
        page_close(page);
    }
    page_close(page);
}

static const struct results_row *row_at(const struct report *report, const struct lines *lines, const char *label,
                                        double x)
{
    for (size_t i = 0; i < report->rows.count; ++i) {
        const struct results_row *row = &report->rows.rows[i];
        if (fits(lines, row) && place(lines, row) == x && strcmp(row->label, label) == 0)
            return row;
    }
    return NULL;
}

static void driver_cell(struct page *page, const struct report *report, const struct lines *lines, const char *label,
                        double x)
{
    const struct results_row *row = row_at(report, lines, label, x);
    struct results_spread spread = {0, NAN, NAN, NAN, false};
    if (row && results_row_figure(row))
        spread = strcmp(lines->metric, figures_metric(row)) == 0 ? report_figures(report, row)->value
                                                                 : results_row_metric(row, lines->metric);
    cell(page, lines->metric, spread, x,
         row == NULL || results_row_figure(row) ? ""
         : row->not_applicable                  ? "does not apply"
                                                : "error");
}

/* A limit of one run, by its name; where along the axis it was measured. */
struct bound {
    struct sentence name;
    size_t run;
    const struct results_row *rows[PLACES];
};

static struct bound *bound_of(struct bound *bounds, size_t *count, const struct results_limit *limit,
                              const struct report *report, size_t run)
{
    const struct sentence name = report_limit(report, run, limit->name);
    for (size_t i = 0; i < *count; ++i)
        if (strcmp(bounds[i].name.text, name.text) == 0)
            return &bounds[i];
    if (*count == LIMITS)
        return NULL;
    bounds[*count] = (struct bound){.name = name, .run = run};
    return &bounds[(*count)++];
}

/* The limits that were measured for these very rows, each where it was. */
static size_t find_bounds(const struct report *report, const struct lines *lines, const double *x, size_t count,
                          struct bound bounds[LIMITS])
{
    size_t found = 0;
    for (size_t i = 0; i < report->rows.count; ++i) {
        const struct results_row *row = &report->rows.rows[i];
        struct results_limit limits[RESULTS_LIMITS];
        size_t own;
        if (!fits(lines, row) || !results_row_figure(row))
            continue;
        own = results_limits(&report->rows, row, lines->metric, false, limits);
        for (size_t l = 0; l < own; ++l) {
            bool shown = limits[l].row && strcmp(limits[l].metric, lines->metric) == 0;
            struct bound *bound = shown ? bound_of(bounds, &found, &limits[l], report, row->run) : NULL;
            for (size_t at = 0; bound && at < count; ++at)
                if (x[at] == place(lines, row))
                    bound->rows[at] = limits[l].row;
        }
    }
    return found;
}

static void bound_series(struct page *page, const struct report *report, const struct lines *lines, const double *x,
                         size_t count)
{
    struct bound *bounds = calloc(LIMITS, sizeof *bounds);
    size_t found = bounds ? find_bounds(report, lines, x, count, bounds) : 0;
    for (size_t i = 0; i < found; ++i) {
        part_series(page, &(struct series){.name = bounds[i].name.text, .style = -1 - (int)i});
        for (size_t at = 0; at < count; ++at)
            cell(page, lines->metric,
                 bounds[i].rows[at] ? results_row_metric(bounds[i].rows[at], lines->metric)
                                    : (struct results_spread){0, NAN, NAN, NAN, false},
                 x[at], "");
        page_close(page);
    }
    free(bounds);
}

static struct formatted place_words(const struct lines *lines, double x)
{
    struct formatted out = format_count(x);
    if (lines->along == ALONG_SIZE)
        return format_size(x);
    if (lines->along == ALONG_BOTH)
        snprintf(out.text, sizeof out.text, "%.0f × %.0f", x, x);
    return out;
}

void part_lines(struct page *page, const struct report *report, const struct lines *lines, const struct figure *figure)
{
    double x[PLACES];
    size_t count = places(report, lines, x);
    if (count < (lines->at_least ? lines->at_least : 1))
        return;
    part_figure_begin(page, figure);
    page_open(page, "thead", NULL);
    page_open(page, "tr", NULL);
    page_open(page, "th", "scope", "col", NULL);
    page_text(page, "Implementation");
    page_close(page);
    for (size_t i = 0; i < count; ++i) {
        page_open(page, "th", "scope", "col", NULL);
        page_text(page, place_words(lines, x[i]).text);
        page_close(page);
    }
    page_close(page);
    page_close(page);
    page_open(page, "tbody", NULL);
    for (size_t d = 0; d < report->driver_count; ++d) {
        const char *label = report->drivers[d].label;
        bool any = false;
        for (size_t i = 0; i < count; ++i)
            any = any || row_at(report, lines, label, x[i]);
        if (!any)
            continue;
        part_series(page, &(struct series){.name = label, .style = (int)d});
        for (size_t i = 0; i < count; ++i)
            driver_cell(page, report, lines, label, x[i]);
        page_close(page);
    }
    if (lines->along == ALONG_SIZE)
        bound_series(page, report, lines, x, count);
    page_close(page);
    part_figure_end(page);
}
