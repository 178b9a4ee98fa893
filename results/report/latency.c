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
    const char *heads[FRACTIONS + 3] = {"Implementation"};
    struct formatted words[FRACTIONS];
    for (size_t i = 0; i < FRACTIONS; ++i) {
        words[i] = format_percentile(fractions[i]);
        heads[i + 1] = words[i].text;
    }
    heads[FRACTIONS + 1] = "highest";
    heads[FRACTIONS + 2] = "samples";
    part_heads(page, heads, FRACTIONS + 3);
}

static void curve_row(struct page *page, const struct series *series, const struct results_histogram *histogram)
{
    char *points = curve(histogram);
    struct series own = *series;
    own.points = points;
    part_series(page, &own);
    percentile_cells(page, histogram);
    page_close(page);
    free(points);
}

static void words_row(struct page *page, const struct series *series, const char *words)
{
    part_series(page, series);
    page_open(page, "td", "colspan", "7", "class", "words", NULL);
    page_text(page, words);
    page_close(page);
    page_close(page);
}

static void driver_rows(struct page *page, const struct report *report, const struct results_row *row)
{
    char text[400], name[256];
    struct series series = {.name = row->label, .style = report_style(report, row->label)};
    if (!results_row_figure(row)) {
        snprintf(text, sizeof text, row->not_applicable ? "does not apply: %s" : "no figure: %s",
                 row->not_applicable ? row->not_applicable
                 : row->error        ? row->error
                                     : "nothing was measured");
        words_row(page, &series, text);
        return;
    }
    curve_row(page, &series, &row->histogram);
    if (row->uncorrected.total == 0)
        return;
    snprintf(name, sizeof name, "%.200s, from the actual send", row->label);
    series.name = name;
    series.of = row->label;
    series.variant = "From the actual send";
    curve_row(page, &series, &row->uncorrected);
}

static void line_row(struct page *page, const char *name, int style, const struct results_spread *spread)
{
    char points[96], words[160];
    snprintf(points, sizeof points, "1,%.6g 1e9,%.6g", spread->median, spread->median);
    snprintf(words, sizeof words, "median %s, from %s to %s", format_duration(spread->median).text,
             format_duration(spread->low).text, format_duration(spread->high).text);
    words_row(page, &(struct series){.name = name, .style = style, .points = points}, words);
}

/* One way of a cache line around the cells of these rows, run by run and placement by placement: each a level that was
 * measured. */
static int line_rows(struct page *page, const struct report *report, const struct results_row *rows, size_t count)
{
    static const char *const names[][2] = {
        {"siblings", "cache line, siblings"}, {"cluster", "cache line, cluster"}, {"distant", "cache line, distant"}};
    int style = -1;
    for (size_t run = 0; run < report->rows.run_count; ++run)
        for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
            const struct results_spread spread = results_rows_line(rows, count, run, names[i][0]);
            if (spread.count > 0)
                line_row(page, report_limit(report, run, names[i][1]).text, style--, &spread);
        }
    return style;
}

/* The machine's own way of doing the same, where it was measured: of each run, one curve a limit. */
static void bound_rows(struct page *page, const struct report *report, const struct results_row *rows, size_t count,
                       int style)
{
    const struct results_row *shown[RESULTS_LIMITS] = {NULL};
    size_t known = 0;
    for (size_t i = 0; i < count; ++i) {
        struct results_limit limits[RESULTS_LIMITS];
        size_t found =
            results_row_figure(&rows[i]) ? results_limits(&report->rows, &rows[i], "p50_ns", false, limits) : 0;
        for (size_t l = 0; l < found && known < RESULTS_LIMITS; ++l) {
            bool again = limits[l].row == NULL || limits[l].row->histogram.total == 0;
            for (size_t k = 0; k < known; ++k)
                again = again || shown[k] == limits[l].row;
            if (again)
                continue;
            shown[known++] = limits[l].row;
            curve_row(
                page,
                &(struct series){.name = report_limit(report, rows[i].run, limits[l].name).text, .style = style--},
                &limits[l].row->histogram);
        }
    }
}

static void figure_of_shape(struct page *page, const struct report *report, const struct results_row *rows,
                            size_t count, const struct family *family, bool first)
{
    struct family_label label = family_label(rows, false);
    char title[256], note[700], missing[700] = "";
    int style = -1;
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
    /* How it is measured is said once. */
    snprintf(note, sizeof note, "%s", first ? family->note : "");
    if (results_row_pinned(rows))
        snprintf(note + strlen(note), sizeof note - strlen(note), "%sCells by the place of their CPUs: %s.",
                 first ? " " : "", report_placements(rows, count).text);
    for (size_t i = 0; i < count; ++i)
        figure.failed |= part_missing(missing, sizeof missing, &rows[i]);
    part_figure_begin(page, &figure);
    head_row(page);
    page_open(page, "tbody", NULL);
    for (size_t d = 0; d < report->driver_count; ++d)
        for (size_t i = 0; i < count; ++i)
            if (strcmp(rows[i].label, report->drivers[d].label) == 0)
                driver_rows(page, report, &rows[i]);
    if (family->beside_line)
        style = line_rows(page, report, rows, count);
    bound_rows(page, report, rows, count, style);
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
        .note = "The median of all blocks' messages together.",
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

/* A reader that spins is awake when the message comes: what that costs belongs beside its short times. */
static void idle_cost(struct page *page, const struct report *report)
{
    size_t said = 0;
    page_open(page, "p", "class", "lead", NULL);
    page_open(page, "b", NULL);
    page_text(page, "What the short times cost: ");
    page_close(page);
    for (size_t d = 0; d < report->driver_count; ++d) {
        struct results_spread idle = report_idle(report, report->drivers[d].label);
        if (idle.count > 0)
            page_textf(page, "%s%s %s", said++ ? "; " : "while nothing is sent, of a core: ", report->drivers[d].label,
                       format_metric("idle_cpu_share", idle.median).text);
    }
    if (said == 0)
        page_text(page,
                  "not measured in this run. A reader that spins is fast and uses a whole core; look at the rows of "
                  "the family cost before you compare");
    page_text(page, ".");
    page_close(page);
}

/* What the suite itself does for a message is part of each time here. */
static void own_cost(struct page *page, const struct report *report)
{
    const char *done = "";
    for (size_t i = 0; i < report->rows.count; ++i) {
        const struct results_row *row = report->order[i];
        const struct results_limit *share = &report_figures(report, row)->share;
        const struct family *family = family_find(row->family);
        if (share->row == NULL || family == NULL || !family_timed(family) || strcmp(row->shape, done) == 0)
            continue;
        if (*done == '\0') {
            page_open(page, "p", "class", "lead", NULL);
            page_text(page, "The suite's own work is part of each time. Its median, with no transport at all: ");
        }
        page_textf(page, "%s%s (%s, %s)", *done ? "; " : "",
                   format_duration(results_row_metric(share->row, "p50_ns").median).text, family->title,
                   family_label(row, true).text);
        done = row->shape;
    }
    if (*done) {
        page_text(page, ".");
        page_close(page);
    }
}

/* The first shape of a family, or all others, which are folded away. */
static void family_shapes(struct page *page, const struct report *report, const struct family *family, bool first)
{
    const struct results_rows *rows = &report->rows;
    size_t found = 0;
    for (size_t i = 0, next; i < rows->count; i = next) {
        for (next = i + 1; next < rows->count && strcmp(rows->rows[i].shape, rows->rows[next].shape) == 0;)
            ++next;
        if (strcmp(rows->rows[i].family, family->name) != 0 || !has_histogram(&rows->rows[i], next - i) ||
            (found++ == 0) != first)
            continue;
        if (!first && found == 2) {
            char title[160];
            snprintf(title, sizeof title, "%s: further sizes and rates", family->title);
            part_more_begin(page, title);
        }
        figure_of_shape(page, report, &rows->rows[i], next - i, family, first);
    }
    if (!first && found > 1)
        part_more_end(page);
}

void part_latency(struct page *page, const struct report *report)
{
    part_begin(page, "latency", "Latency");
    page_element(
        page, "p", "lead",
        "Each curve comes from one histogram, merged over all blocks. The further to the right, the rarer: at 99.9 % "
        "one message in a thousand takes longer. A curve ends where fewer than 100 samples lie beyond it.");
    idle_cost(page, report);
    own_cost(page, report);
    page_open(page, "div", "class", "plates", NULL);
    for (const struct family *family = families; family->name; ++family)
        if (family_timed(family)) {
            family_shapes(page, report, family, true);
            by_size(page, report, family);
            family_shapes(page, report, family, false);
        }
    page_close(page);
    page_close(page);
}
