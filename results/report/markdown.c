/* The short report, for a README or the summary page of a CI: verdicts and key figures, one column an implementation.
 */
#include "markdown.h"
#include "families.h"
#include "format.h"
#include "report.h"
#include "targets.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 64 };

/* What GitHub would make a link or a mention of is text as well. */
void markdown_escaped(FILE *out, const char *text)
{
    for (; *text; ++text) {
        if (*text == '\n' || *text == '\r')
            fputc(' ', out);
        else if (strchr("\\`*_{}[]<>#|&!~@", *text) || strncmp(text, "://", 3) == 0)
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
        markdown_escaped(out, report->drivers[i].label);
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
        markdown_escaped(out, index < 0 ? "not tested" : report_verdict(report, (size_t)index).text);
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
        markdown_escaped(out, row->not_applicable ? row->not_applicable
                              : row->error        ? row->error
                                                  : "nothing was measured");
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
        markdown_escaped(out, family_label(row, true).text);
        return true;
    }
    return false;
}

/* The figures of each driver's key row, of one metric. */
struct line_figures {
    size_t count;
    const struct results_row *rows[COLUMNS];
    struct row_figures figures[COLUMNS];
};

static void line_figures(struct line_figures *out, const struct report *report, const char *family, const char *metric)
{
    *out = (struct line_figures){.count = report->driver_count < COLUMNS ? report->driver_count : COLUMNS};
    for (size_t i = 0; i < out->count; ++i) {
        const struct results_row *row = report_key_row(report, report->drivers[i].label, family);
        out->rows[i] = row;
        if (row)
            out->figures[i] = strcmp(metric, figures_metric(row)) == 0 ? *report_figures(report, row)
                                                                       : figures_of(&report->rows, row, metric);
    }
}

static void limit(FILE *out, const struct row_figures *figures)
{
    fprintf(out, " %s", figures_ratio(&figures->limit.distance.spread).text);
    if (figures->limit.distance.spread.count) {
        fputc(' ', out);
        markdown_escaped(out, figures->limit.name);
    }
    for (size_t i = 0; i < figures->beaten_count; ++i) {
        fputs("; ", out);
        markdown_escaped(out, figures_beats(&figures->beaten[i]).text);
    }
}

/* The ratios of the line above them, a line each to its limit and to the rivals; nothing where there is none. */
static void ratio_lines(FILE *out, const struct line_figures *line)
{
    for (size_t which = 0; which <= FIGURES_RIVALS; ++which) {
        bool any = false;
        for (size_t i = 0; i < line->count; ++i) {
            const struct row_figures *figures = &line->figures[i];
            any = any || (which ? figures->better[which - 1].count > 0
                                : figures->limit.distance.spread.count + figures->beaten_count > 0);
        }
        if (!any)
            continue;
        if (which)
            fprintf(out, "| – times better than %s |", figures_rivals[which - 1]);
        else
            fputs("| – times its limit |", out);
        for (size_t i = 0; i < line->count; ++i) {
            if (which)
                fprintf(out, " %s", figures_ratio(&line->figures[i].better[which - 1]).text);
            else
                limit(out, &line->figures[i]);
            fputs(" |", out);
        }
        fputc('\n', out);
    }
}

/* A figure of each driver's key row, and below it the ratios of that very figure. */
static void metric_lines(FILE *out, const struct report *report, const char *family, const char *metric,
                         const char *word)
{
    struct line_figures *line = malloc(sizeof *line);
    if (line && line_begin(out, report, family)) {
        line_figures(line, report, family, metric);
        fprintf(out, "%s |", word);
        for (size_t i = 0; i < line->count; ++i)
            figure(out, line->rows[i], format_metric(metric, line->figures[i].value.median).text);
        fputc('\n', out);
        ratio_lines(out, line);
    }
    free(line);
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

static void peak_line(FILE *out, const struct report *report)
{
    bool any = false;
    for (size_t i = 0; i < report->driver_count; ++i)
        any = any || report_peak(report, report->drivers[i].label);
    if (!any)
        return;
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
        markdown_escaped(out, texts[i]);
        fputs(i + 1 == sizeof texts / sizeof texts[0] && *target->why ? ": " : " |", out);
    }
    if (*target->why) {
        markdown_escaped(out, target->why);
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
            markdown_escaped(out, matrix->clauses[c].id);
            fprintf(out, " %s** ", results_verdict_name(square->verdict));
            markdown_escaped(out, matrix->drivers[d]);
            fputs(": ", out);
            markdown_escaped(out, worst->text && *worst->text ? worst->text : matrix->clauses[c].title);
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
    markdown_escaped(line->out, text);
}

static void figure_lines(FILE *out, const struct report *report)
{
    metric_lines(out, report, "latency", "p50_ns", ": p50");
    metric_lines(out, report, "latency", "p99_ns", ": p99");
    metric_lines(out, report, "hot", "p50_ns", ": p50");
    metric_lines(out, report, "roundtrip", "p50_ns", ": p50");
    metric_lines(out, report, "wakeup", "p50_ns", ": p50");
    metric_lines(out, report, "throughput", "messages_per_second", "");
    peak_line(out, report);
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
    if (report->rows.count)
        fputs("\nRatios are those of the figure above them: the median over pairs of one block, with its 95 % "
              "interval, or "
              "the range of fewer than six. Times its limit: 1 is as fast as the limit that is named.\n",
              out);
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
