/* The short report, for a README or the summary page of a CI: verdicts and key figures of the implementations. */
#include "markdown.h"
#include "families.h"
#include "format.h"
#include "markdown_table.h"
#include "report.h"
#include "targets.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void cell_end(FILE *out)
{
    fputc('\0', out);
}

static void heads(FILE *out, const struct report *report)
{
    cell_end(out);
    for (size_t i = 0; i < report->driver_count; ++i) {
        markdown_escaped(out, report->drivers[i].label);
        cell_end(out);
    }
}

static void conformance_line(FILE *out, const struct report *report)
{
    fputs("Conformance", out);
    cell_end(out);
    for (size_t i = 0; i < report->driver_count; ++i) {
        int index = report_index(report, &report->drivers[i]);
        markdown_escaped(out, index < 0 ? "not tested" : report_verdict(report, (size_t)index).text);
        cell_end(out);
    }
}

/* What is in a square of a line of figures: `value`, or why the row is no figure. */
static void figure(FILE *out, const struct results_row *row, const char *value)
{
    if (row && !results_row_figure(row)) {
        fputs(row->not_applicable ? "does not apply: " : "error: ", out);
        markdown_escaped(out, row->not_applicable ? row->not_applicable
                              : row->error        ? row->error
                                                  : "nothing was measured");
    } else {
        fputs(value, out);
    }
}

/* The beginning of a line about the key rows of a family; false if no driver has one. */
static bool line_begin(FILE *out, const struct report *report, const char *family)
{
    for (size_t i = 0; i < report->driver_count; ++i) {
        const struct results_row *row = report_key_row(report, report->drivers[i].label, family);
        if (row == NULL)
            continue;
        fprintf(out, "%s, ", family_find(family)->title);
        markdown_escaped(out, family_label(row, true).text);
        return true;
    }
    return false;
}

/* A driver's key row, and what is said of one metric of it. */
struct square {
    const struct results_row *row;
    struct row_figures figures;
};

/* One a driver; the caller frees them. NULL: memory ran out. */
static struct square *squares_of(const struct report *report, const char *family, const char *metric)
{
    struct square *squares = calloc(report->driver_count + 1, sizeof *squares);
    for (size_t i = 0; squares && i < report->driver_count; ++i) {
        const struct results_row *row = report_key_row(report, report->drivers[i].label, family);
        squares[i].row = row;
        if (row)
            squares[i].figures = strcmp(metric, figures_metric(row)) == 0 ? *report_figures(report, row)
                                                                          : figures_of(&report->rows, row, metric);
    }
    return squares;
}

static void limit(FILE *out, const struct row_figures *figures)
{
    fputs(figures_ratio(&figures->limit.distance.spread).text, out);
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
static void ratio_lines(FILE *out, const struct square *squares, size_t count)
{
    for (size_t which = 0; which <= FIGURES_RIVALS; ++which) {
        bool any = false;
        for (size_t i = 0; i < count; ++i) {
            const struct row_figures *figures = &squares[i].figures;
            any = any || (which ? figures->better[which - 1].count > 0
                                : figures->limit.distance.spread.count + figures->beaten_count > 0);
        }
        if (!any)
            continue;
        if (which)
            fprintf(out, "– times better than %s", figures_rivals[which - 1]);
        else
            fputs("– times its limit", out);
        cell_end(out);
        for (size_t i = 0; i < count; ++i) {
            if (which)
                fputs(figures_ratio(&squares[i].figures.better[which - 1]).text, out);
            else
                limit(out, &squares[i].figures);
            cell_end(out);
        }
    }
}

/* A figure of each driver's key row, and the ratios of that very figure: below it, or with it. */
static void metric_lines(FILE *out, const struct report *report, const char *family, const char *metric,
                         const char *word)
{
    struct square *squares = squares_of(report, family, metric);
    if (squares && line_begin(out, report, family)) {
        fputs(word, out);
        cell_end(out);
        for (size_t i = 0; i < report->driver_count; ++i) {
            const struct row_figures *figures = &squares[i].figures;
            figure(out, squares[i].row, format_metric(metric, figures->value.median).text);
            if (report_turned(report) && figures->better[0].count > 0)
                fprintf(out, "<br>%s", figures_ratio(&figures->better[0]).text);
            cell_end(out);
        }
        if (!report_turned(report))
            ratio_lines(out, squares, report->driver_count);
    }
    free(squares);
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
    fputs(measure->title, out);
    cell_end(out);
    for (size_t i = 0; i < report->driver_count; ++i) {
        const struct results_row *row = report_key_row(report, report->drivers[i].label, name);
        double value = row && results_row_figure(row) ? results_row_metric(row, measure->metric).median : NAN;
        figure(out, row, format_metric(measure->metric, value).text);
        cell_end(out);
    }
}

static void peak_line(FILE *out, const struct report *report)
{
    bool any = false;
    for (size_t i = 0; i < report->driver_count; ++i)
        any = any || report_peak(report, report->drivers[i].label);
    if (!any)
        return;
    fputs("Most bytes a second", out);
    cell_end(out);
    for (size_t i = 0; i < report->driver_count; ++i) {
        const struct results_row *peak = report_peak(report, report->drivers[i].label);
        if (peak)
            fprintf(out, "%s (%s)", format_bandwidth(results_row_metric(peak, "bytes_per_second").median).text,
                    format_size(peak->first->size).text);
        else
            fputs("–", out);
        cell_end(out);
    }
}

static void target_line(FILE *out, const struct target_words *target)
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
            target_line(out, &words[i]);
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

/* Implementations, their verdicts and key figures; 0 or -ENOMEM. */
static int table(FILE *out, const struct report *report)
{
    struct markdown_table table;
    markdown_table_begin(&table);
    if (table.cells == NULL)
        return -ENOMEM;
    heads(table.cells, report);
    if (report_has(report, "conformance"))
        conformance_line(table.cells, report);
    figure_lines(table.cells, report);
    return markdown_table_print(&table, report->driver_count + 1, report_turned(report), out);
}

static void notes(FILE *out, const struct report *report)
{
    if (report_turned(report))
        fprintf(out, "\nWith a figure stands how many times better than %s it is", figures_rivals[0]);
    else
        fputs("\nRatios are those of the figure above them", out);
    fputs(": the median over pairs of one block, with its 95 % interval, or the range of fewer than six.", out);
    if (!report_turned(report))
        fputs(" Times its limit: 1 is as fast as the limit that is named.", out);
    fputc('\n', out);
}

char *report_markdown(const struct report *report)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    struct line line = {out, 0};
    bool complete;
    if (out == NULL)
        return NULL;
    complete = table(out, report) == 0;
    if (report->rows.count)
        notes(out, report);
    target_lines(out, report);
    troubles(out, report);
    results_fitness(report->runs, report->run_count, &report->rows, reason, &line);
    if (line.count)
        fputc('\n', out);
    if (fclose(out) == 0 && complete)
        return text;
    free(text);
    return NULL;
}
