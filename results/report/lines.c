/* A metric as lines over message size, or over the number of subscribers. */
#include "families.h"
#include "format.h"
#include "parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double place(const struct lines *lines, const struct results_row *row)
{
    return lines->by_subscribers ? row->first->subscribers : row->first->size;
}

/* One subscriber is where fan-out starts, and those rows are of the family throughput. */
static bool of_family(const struct lines *lines, const struct results_row *row)
{
    return strcmp(row->family, lines->family) == 0 ||
           (lines->by_subscribers && strcmp(row->family, "throughput") == 0 && row->first->subscribers == 1);
}

static bool fits(const struct lines *lines, const struct results_row *row)
{
    if (!of_family(lines, row) || isnan(place(lines, row)) || row->first->publishers != 1)
        return false;
    if (lines->rate > 0 && row->first->rate != lines->rate)
        return false;
    return lines->by_subscribers ? row->first->size == lines->size : row->first->subscribers == 1;
}

/* Along the axis: what the rows have, rising, each once. Returns how many, at most `limit`. */
static size_t places(const struct report *report, const struct lines *lines, double *out, size_t limit)
{
    size_t count = 0;
    for (size_t i = 0; i < report->rows.count && count < limit; ++i) {
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

static void cell(struct page *page, const struct lines *lines, const struct results_row *row, double x)
{
    struct results_spread spread = row && results_row_figure(row) ? results_row_metric(row, lines->metric)
                                                                  : (struct results_spread){.median = NAN};
    char at[32], value[32];
    if (isnan(spread.median)) {
        page_element(page, "td", "words", row && row->error ? "error" : "–");
        return;
    }
    snprintf(at, sizeof at, "%.9g", x);
    snprintf(value, sizeof value, "%.6g", spread.median);
    page_open(page, "td", "data-x", at, "data-y", value, NULL);
    page_text(page, format_metric(lines->metric, spread.median).text);
    if (spread.count > 1) {
        page_text(page, " ");
        page_open(page, "span", "class", "range", NULL);
        page_textf(page, "%s to %s", format_metric(lines->metric, spread.low).text,
                   format_metric(lines->metric, spread.high).text);
        page_close(page);
    }
    page_close(page);
}

static const struct results_row *row_at(const struct report *report, const struct lines *lines, const char *driver,
                                        double x)
{
    for (size_t i = 0; i < report->rows.count; ++i) {
        const struct results_row *row = &report->rows.rows[i];
        if (fits(lines, row) && place(lines, row) == x && strcmp(row->driver, driver) == 0)
            return row;
    }
    return NULL;
}

/* The machine's own limit of that name at that size, if it has the metric. */
static const struct results_row *limit_at(const struct report *report, const char *limit, const char *metric,
                                          double size)
{
    size_t length = strlen(limit);
    for (size_t i = 0; i < report->rows.count; ++i) {
        const struct results_row *row = &report->rows.rows[i];
        if (strcmp(row->driver, "limit") == 0 && strncmp(row->name, "limit/", 6) == 0 &&
            strncmp(row->name + 6, limit, length) == 0 && row->name[6 + length] == '/' && row->first->size == size &&
            results_row_figure(row) && results_row_metric(row, metric).count > 0)
            return row;
    }
    return NULL;
}

static void limit_series(struct page *page, const struct report *report, const struct lines *lines, const double *x,
                         size_t count, const char *limit, const char *name)
{
    size_t found = 0;
    for (size_t i = 0; i < count; ++i)
        found += limit_at(report, limit, lines->metric, x[i]) != NULL;
    if (found == 0 || lines->by_subscribers)
        return;
    part_series(page, -1, name, NULL);
    for (size_t i = 0; i < count; ++i)
        cell(page, lines, limit_at(report, limit, lines->metric, x[i]), x[i]);
    page_close(page);
}

void part_lines(struct page *page, const struct report *report, const struct lines *lines, const struct figure *figure)
{
    double x[64];
    size_t count = places(report, lines, x, sizeof x / sizeof x[0] - 1);
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
        page_text(page, lines->by_subscribers ? format_count(x[i]).text : format_size(x[i]).text);
        page_close(page);
    }
    page_close(page);
    page_close(page);
    page_open(page, "tbody", NULL);
    for (size_t d = 0; d < report->driver_count; ++d) {
        bool any = false;
        for (size_t i = 0; i < count; ++i)
            any = any || row_at(report, lines, report->drivers[d], x[i]);
        if (!any)
            continue;
        part_series(page, (int)d, report->drivers[d], NULL);
        for (size_t i = 0; i < count; ++i)
            cell(page, lines, row_at(report, lines, report->drivers[d], x[i]), x[i]);
        page_close(page);
    }
    limit_series(page, report, lines, x, count, "bare-ring", "limit: bare ring");
    limit_series(page, report, lines, x, count, "memcpy", "limit: memcpy");
    page_close(page);
    part_figure_end(page);
}
