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
        escaped(out, report->drivers[i]);
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
        int index = report_index(report, report->drivers[i]);
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
        fputs("error: ", out);
        escaped(out, row->error);
    } else {
        fputs(value, out);
    }
    fputs(" |", out);
}

/* The beginning of a line about the key rows of a family; false if no driver has one. */
static bool line_begin(FILE *out, const struct report *report, const char *family)
{
    for (size_t i = 0; i < report->driver_count; ++i) {
        const struct results_row *row = report_key_row(report, report->drivers[i], family);
        if (row == NULL)
            continue;
        fprintf(out, "| %s, ", family_find(family)->title);
        escaped(out, family_label(row).text);
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
        const struct results_row *row = report_key_row(report, report->drivers[i], family);
        figure(out, row, format_duration(row ? results_histogram_percentile(&row->histogram, fraction) : NAN).text);
    }
    fputc('\n', out);
}

static void throughput_lines(FILE *out, const struct report *report)
{
    if (!line_begin(out, report, "throughput"))
        return;
    fputs(" |", out);
    for (size_t i = 0; i < report->driver_count; ++i) {
        const struct results_row *row = report_key_row(report, report->drivers[i], "throughput");
        double rate = row ? results_row_metric(row, "messages_per_second").median : NAN;
        figure(out, row, format_metric("messages_per_second", rate).text);
    }
    fputs("\n| Most bytes a second |", out);
    for (size_t i = 0; i < report->driver_count; ++i) {
        const struct results_row *peak = report_peak(report, report->drivers[i]);
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
    struct target_words target;
    for (size_t r = 0; r < report->run_count; ++r) {
        if (!targets_any(&report->runs[r], 1))
            continue;
        fputs("\n| Target | Measured | Limit or rival | Ratio | To reach | |\n| --- | --- | --- | --- | --- | --- |\n",
              out);
        for (size_t i = 0; i < report->runs[r].record_count; ++i)
            if (targets_read(&report->runs[r], i, &target))
                squares(out, &target);
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
    percentile_line(out, report, "latency", 0.5);
    percentile_line(out, report, "latency", 0.99);
    percentile_line(out, report, "hot", 0.5);
    percentile_line(out, report, "roundtrip", 0.5);
    throughput_lines(out, report);
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
