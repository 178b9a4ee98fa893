/* Percentile curves: one figure a shape, one curve a driver, each from a histogram merged over the blocks. */
#include "families.h"
#include "format.h"
#include "parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double fractions[] = {0.5, 0.9, 0.99, 0.999, 0.9999};
enum { FRACTIONS = sizeof fractions / sizeof fractions[0] };

/* The curve as "x,y x,y …" with x = 1 / (1 - p), as far as there are samples enough beyond, and in steps that the eye
 * can tell apart. Owned by the caller. */
static char *curve(const struct results_histogram *histogram)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    double last = 0;
    uint64_t upto = 0;
    if (stream == NULL)
        return NULL;
    for (size_t i = 0; i < histogram->size; ++i) {
        uint64_t beyond;
        double x;
        upto += histogram->buckets[i].count;
        beyond = histogram->total - upto;
        if (beyond < RESULTS_SAMPLES_BEYOND)
            break;
        x = (double)histogram->total / (double)beyond;
        if (x < last * 1.06)
            continue;
        fprintf(stream, "%s%.6g,%.6g", last > 0 ? " " : "", x, histogram->buckets[i].value);
        last = x;
    }
    fclose(stream);
    return text;
}

static void percentile_cells(struct page *page, const struct results_histogram *histogram)
{
    for (size_t i = 0; i < FRACTIONS; ++i)
        page_element(page, "td", NULL, format_duration(results_histogram_percentile(histogram, fractions[i])).text);
    page_element(page, "td", NULL, format_duration(results_histogram_max(histogram)).text);
    page_element(page, "td", NULL, format_count((double)histogram->total).text);
}

static void head_row(struct page *page)
{
    page_open(page, "thead", NULL);
    page_open(page, "tr", NULL);
    page_open(page, "th", "scope", "col", NULL);
    page_text(page, "Implementation");
    page_close(page);
    for (size_t i = 0; i < FRACTIONS; ++i) {
        page_open(page, "th", "scope", "col", NULL);
        page_text(page, format_percentile(fractions[i]).text);
        page_close(page);
    }
    page_open(page, "th", "scope", "col", NULL);
    page_text(page, "highest");
    page_close(page);
    page_open(page, "th", "scope", "col", NULL);
    page_text(page, "samples");
    page_close(page);
    page_close(page);
    page_close(page);
}

static void driver_rows(struct page *page, const struct report *report, const struct results_row *row)
{
    char *points = curve(&row->histogram);
    if (!results_row_figure(row)) {
        part_series(page, report_style(report, row->driver), row->driver, NULL);
        page_open(page, "td", "colspan", "7", "class", "words", NULL);
        page_textf(page, "no figure: %s", row->error);
        page_close(page);
        page_close(page);
        free(points);
        return;
    }
    part_series(page, report_style(report, row->driver), row->driver, points);
    percentile_cells(page, &row->histogram);
    page_close(page);
    if (row->uncorrected.total > 0) {
        page_open(page, "tr", "class", "beside", NULL);
        page_open(page, "th", "scope", "row", NULL);
        page_text(page, "from the actual send");
        page_close(page);
        percentile_cells(page, &row->uncorrected);
        page_close(page);
    }
    free(points);
}

/* The machine's own: one way of a cache line around the cells of these rows, as a level to compare with. */
static void line_row(struct page *page, const struct results_row *rows, size_t count)
{
    double *values = NULL;
    struct results_spread spread;
    size_t used = 0, capacity = 0;
    char points[96];
    for (size_t r = 0; r < count; ++r)
        capacity += 2 * rows[r].sample_count;
    values = calloc(capacity + 1, sizeof *values);
    for (size_t r = 0; values && r < count; ++r)
        for (size_t i = 0; i < rows[r].sample_count; ++i) {
            const struct results_cell *cell = rows[r].samples[i].cell;
            if (!isnan(cell->line_before_ns + cell->line_after_ns)) {
                values[used++] = cell->line_before_ns;
                values[used++] = cell->line_after_ns;
            }
        }
    spread = results_spread(values, used);
    free(values);
    if (used == 0)
        return;
    snprintf(points, sizeof points, "1,%.6g 1e9,%.6g", spread.median, spread.median);
    part_series(page, -1, "cache line", points);
    page_open(page, "td", "colspan", "7", "class", "words", NULL);
    page_textf(page, "median %s, from %s to %s", format_duration(spread.median).text, format_duration(spread.low).text,
               format_duration(spread.high).text);
    page_close(page);
    page_close(page);
}

/* A row that failed must not just be absent from its chart. */
static void missing_text(const struct results_row *rows, size_t count, char *out, size_t size)
{
    size_t used = 0;
    *out = '\0';
    for (size_t i = 0; i < count && used < size; ++i)
        if (!results_row_figure(&rows[i]))
            used += (size_t)snprintf(out + used, size - used, "%sNo figure for %s: %s.", used ? " " : "",
                                     rows[i].driver, rows[i].error);
}

static void figure_of_shape(struct page *page, const struct report *report, const struct results_row *rows,
                            size_t count, const struct family *family)
{
    struct family_label label = family_label(rows);
    char title[256], note[512], missing[512];
    struct figure figure = {
        .title = title,
        .note = note,
        .missing = missing,
        .kind = "line",
        .x_kind = "percentile",
        .x_label = "percentile",
        .y_kind = "duration",
        .y_label = family->one_way ? "time, one way" : "time",
    };
    snprintf(title, sizeof title, "%s: %s", family->title, label.text);
    snprintf(note, sizeof note, "%s Cells by the place of their CPUs: %s.", family->note,
             report_placements(rows, count).text);
    missing_text(rows, count, missing, sizeof missing);
    part_figure_begin(page, &figure);
    head_row(page);
    page_open(page, "tbody", NULL);
    for (size_t d = 0; d < report->driver_count; ++d)
        for (size_t i = 0; i < count; ++i)
            if (strcmp(rows[i].driver, report->drivers[d]) == 0)
                driver_rows(page, report, &rows[i]);
    if (family->one_way)
        line_row(page, rows, count);
    page_close(page);
    part_figure_end(page);
}

/* The median against the size of the message, where several sizes were measured. */
static void by_size(struct page *page, const struct report *report, const struct family *family)
{
    char title[160];
    struct lines lines = {.family = family->name, .metric = "p50_ns", .at_least = 2};
    struct figure figure = {
        .title = title,
        .note = "The median of each block, then the median over the blocks.",
        .kind = "line",
        .x_kind = "size",
        .x_label = "message size",
        .y_kind = "duration",
        .y_label = family->one_way ? "median, one way" : "median",
    };
    for (size_t i = 0; i < report->rows.count; ++i)
        if (strcmp(report->rows.rows[i].family, family->name) == 0 && report->rows.rows[i].first->rate > 0) {
            lines.rate = report->rows.rows[i].first->rate;
            break;
        }
    snprintf(title, sizeof title, "%s: median by size", family->title);
    part_lines(page, report, &lines, &figure);
}

static bool has_histogram(const struct results_row *rows, size_t count)
{
    for (size_t i = 0; i < count; ++i)
        if (rows[i].histogram.total > 0)
            return true;
    return false;
}

void part_latency(struct page *page, const struct report *report)
{
    const struct results_rows *rows = &report->rows;
    part_begin(page, "latency", "Latency");
    page_element(
        page, "p", "lead",
        "Each curve comes from one histogram, merged over all blocks. The further to the right, the rarer: at 99.9 % "
        "one message in a thousand takes longer. A curve ends where fewer than 100 samples lie beyond it.");
    page_open(page, "div", "class", "plates", NULL);
    for (const struct family *family = families; family->name; ++family) {
        for (size_t i = 0, next; i < rows->count; i = next) {
            for (next = i + 1; next < rows->count && strcmp(rows->rows[i].shape, rows->rows[next].shape) == 0;)
                ++next;
            if (strcmp(rows->rows[i].family, family->name) == 0 && has_histogram(&rows->rows[i], next - i))
                figure_of_shape(page, report, &rows->rows[i], next - i, family);
        }
        if (!family->higher_is_better)
            by_size(page, report, family);
    }
    page_close(page);
    page_close(page);
}
