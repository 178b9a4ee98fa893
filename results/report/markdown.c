/* The short report, for a README or the summary page of a CI: verdicts and key figures, one column an implementation.
 */
#include "families.h"
#include "format.h"
#include "report.h"
#include "targets.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Text of the input inside a table: nothing of it is markup. */
static void escaped(FILE *out, const char *text)
{
    for (; *text; ++text) {
        if (*text == '\n' || *text == '\r')
            fputc(' ', out);
        else if (strchr("\\`*_{}[]<>#|&!", *text))
            fprintf(out, "&#%d;", *text);
        else
            fputc(*text, out);
    }
}

static void heads(FILE *out, const struct report *report)
{
    fputs("| |", out);
    for (size_t i = 0; i < report->driver_count; ++i) {
        fputc(' ', out);
        escaped(out, report->drivers[i].label);
        fputs(" |", out);
    }
    fputs("\n| --- |", out);
    for (size_t i = 0; i < report->driver_count; ++i)
        fputs(" --- |", out);
    fputc('\n', out);
}

static void conformance_line(FILE *out, const struct report *report)
{
    fputs("| Conformance |", out);
    for (size_t i = 0; i < report->driver_count; ++i) {
        int index = report_index(report, &report->drivers[i]);
        fputc(' ', out);
        escaped(out, index < 0 ? "not tested" : report_verdict(report, (size_t)index).text);
        fputs(" |", out);
    }
    fputc('\n', out);
}

/* One square of a line of figures: `value`, or why the row is no figure. */
static void figure(FILE *out, const struct results_row *row, const char *value)
{
    fputc(' ', out);
    if (row && !results_row_figure(row)) {
        fputs(row->not_applicable ? "does not apply: " : "error: ", out);
        escaped(out, row->not_applicable ? row->not_applicable : row->error ? row->error : "nothing was measured");
    } else {
        fputs(value, out);
    }
    fputs(" |", out);
}

/* The beginning of a line about the key rows of a family; false if no driver has one. */
static bool line_begin(FILE *out, const struct report *report, const char *family)
{
    for (size_t i = 0; i < report->driver_count; ++i) {
        const struct results_row *row = report_key_row(report, report->drivers[i].label, family);
        if (row == NULL)
            continue;
        fprintf(out, "| %s, ", family_find(family)->title);
        escaped(out, family_label(row, true).text);
        return true;
    }
    return false;
}

static void percentile_line(FILE *out, const struct report *report, const char *family, double fraction)
{
    if (!line_begin(out, report, family))
        return;
    fprintf(out, ": %s |", format_percentile(fraction).text);
    for (size_t i = 0; i < report->driver_count; ++i) {
        const struct results_row *row = report_key_row(report, report->drivers[i].label, family);
        figure(out, row, format_duration(row ? results_histogram_percentile(&row->histogram, fraction) : NAN).text);
    }
    fputc('\n', out);
}

/* One square of a line of ratios: "2.4 × (2.3–2.6) cache line". */
static void ratio(FILE *out, const struct results_spread *spread, const char *limit)
{
    if (spread == NULL || spread->count == 0)
        fputs(" – |", out);
    else
        fprintf(out, " %s (%s–%s)%s%s |", format_ratio(spread->median).text, format_factor(spread->low).text,
                format_factor(spread->high).text, *limit ? " " : "", limit);
}

enum { COLUMNS = 64 };

static const struct results_spread *spread_of(const struct row_figures *figures, size_t which)
{
    return which ? &figures->better[which - 1] : &figures->limit.distance.spread;
}

/* The ratios of the key rows of a family, a line each to its limit and to the rivals; nothing where there is none. */
static void ratio_lines(FILE *out, const struct report *report, const char *family)
{
    for (size_t which = 0; which <= FIGURES_RIVALS; ++which) {
        const struct row_figures *figures[COLUMNS] = {NULL};
        bool any = false;
        for (size_t i = 0; i < report->driver_count && i < COLUMNS; ++i) {
            const struct results_row *row = report_key_row(report, report->drivers[i].label, family);
            figures[i] = row ? report_figures(report, row) : NULL;
            any = any || (figures[i] && spread_of(figures[i], which)->count > 0);
        }
        if (!any)
            continue;
        if (which)
            fprintf(out, "| – times better than %s |", figures_rivals[which - 1]);
        else
            fputs("| – times its limit |", out);
        for (size_t i = 0; i < report->driver_count && i < COLUMNS; ++i)
            ratio(out, figures[i] ? spread_of(figures[i], which) : NULL,
                  which || !figures[i] ? "" : figures[i]->limit.name);
        fputc('\n', out);
    }
}

/* One of the measures of a family that has several, of each driver's key row. */
static void measure_line(FILE *out, const struct report *report, const char *name, const char *metric)
{
    const struct measure *measure = family_find(name)->measures;
    bool any = false;
    while (strcmp(measure->metric, metric) != 0)
        ++measure;
    for (size_t i = 0; i < report->driver_count; ++i) {
        const struct results_row *row = report_key_row(report, report->drivers[i].label, name);
        any = any || (row && (!results_row_figure(row) || results_row_metric(row, measure->metric).count > 0));
    }
    if (!any)
        return;
    fprintf(out, "| %s |", measure->title);
    for (size_t i = 0; i < report->driver_count; ++i) {
        const struct results_row *row = report_key_row(report, report->drivers[i].label, name);
        double value = row && results_row_figure(row) ? results_row_metric(row, measure->metric).median : NAN;
        figure(out, row, format_metric(measure->metric, value).text);
    }
    fputc('\n', out);
}

static void throughput_lines(FILE *out, const struct report *report)
{
    if (!line_begin(out, report, "throughput"))
        return;
    fputs(" |", out);
    for (size_t i = 0; i < report->driver_count; ++i) {
        const struct results_row *row = report_key_row(report, report->drivers[i].label, "throughput");
        double rate = row ? results_row_metric(row, "messages_per_second").median : NAN;
        figure(out, row, format_metric("messages_per_second", rate).text);
    }
    fputc('\n', out);
    ratio_lines(out, report, "throughput");
    fputs("| Most bytes a second |", out);
    for (size_t i = 0; i < report->driver_count; ++i) {
        const struct results_row *peak = report_peak(report, report->drivers[i].label);
        if (peak)
            fprintf(out, " %s (%s) |", format_bandwidth(results_row_metric(peak, "bytes_per_second").median).text,
                    format_size(peak->first->size).text);
        else
            fputs(" – |", out);
    }
    fputc('\n', out);
}

static void squares(FILE *out, const struct target_words *target)
{
    const char *const texts[] = {target->name,  target->measured, target->rival,
                                 target->ratio, target->bound,    target->verdict};
    fputc('|', out);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; ++i) {
        fputc(' ', out);
        escaped(out, texts[i]);
        fputs(i + 1 == sizeof texts / sizeof texts[0] && *target->why ? ": " : " |", out);
    }
    if (*target->why) {
        escaped(out, target->why);
        fputs(" |", out);
    }
    fputc('\n', out);
}

static void target_lines(FILE *out, const struct report *report)
{
    for (size_t run = 0; run < report->rows.run_count; ++run) {
        struct target_words *words = NULL;
        if (!results_targets_any(&report->rows, run) || (words = targets_words(report, run)) == NULL)
            continue;
        fputs("\n| Target | Measured | Limit or rival | Ratio | To reach | |\n| --- | --- | --- | --- | --- | --- |\n",
              out);
        for (size_t i = 0; i < RESULTS_TARGETS; ++i)
            squares(out, &words[i]);
        free(words);
    }
}

static void troubles(FILE *out, const struct report *report)
{
    const struct results_matrix *matrix = &report->matrix;
    bool any = false;
    for (size_t d = 0; d < matrix->driver_count; ++d)
        for (size_t c = 0; c < matrix->clause_count; ++c) {
            const struct results_square *square = results_matrix_square(matrix, c, d);
            const struct results_case *worst = NULL;
            if (!results_verdict_bad(square->verdict))
                continue;
            for (size_t i = 0; i < square->count && worst == NULL; ++i)
                worst = results_verdict_of(square->cases[i]->verdict) == square->verdict ? square->cases[i] : NULL;
            fputs(any ? "- **" : "\n- **", out);
            any = true;
            escaped(out, matrix->clauses[c].id);
            fprintf(out, " %s** ", results_verdict_name(square->verdict));
            escaped(out, matrix->drivers[d]);
            fputs(": ", out);
            escaped(out, worst->text && *worst->text ? worst->text : matrix->clauses[c].title);
            fputc('\n', out);
        }
}

struct line {
    FILE *out;
    size_t count;
};

static void reason(void *context, const char *text)
{
    struct line *line = context;
    fputs(line->count++ ? " " : "\nNot fit to publish: ", line->out);
    escaped(line->out, text);
}

static void figure_lines(FILE *out, const struct report *report)
{
    percentile_line(out, report, "latency", 0.5);
    percentile_line(out, report, "latency", 0.99);
    ratio_lines(out, report, "latency");
    percentile_line(out, report, "hot", 0.5);
    ratio_lines(out, report, "hot");
    percentile_line(out, report, "roundtrip", 0.5);
    percentile_line(out, report, "wakeup", 0.5);
    ratio_lines(out, report, "wakeup");
    throughput_lines(out, report);
    measure_line(out, report, "cost", "cpu_seconds_per_million");
    measure_line(out, report, "cost", "idle_cpu_share");
}

char *report_markdown(const struct report *report)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    struct line line = {out, 0};
    if (out == NULL)
        return NULL;
    heads(out, report);
    if (report_has(report, "conformance"))
        conformance_line(out, report);
    figure_lines(out, report);
    target_lines(out, report);
    troubles(out, report);
    results_fitness(report->runs, report->run_count, &report->rows, reason, &line);
    if (line.count)
        fputc('\n', out);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}
