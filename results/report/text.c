/* The report for a terminal: what came out, family by family, and whether it may be believed. */
#include "columns.h"
#include "families.h"
#include "format.h"
#include "report.h"
#include "targets.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void ratio_cell(struct columns *table, const struct results_spread *ratio)
{
    columns_cell(table, figures_ratio(ratio).text);
}

/* In the order of print: by family and size, then implementation and run. */
static bool same_shape(const struct results_row *one, const struct results_row *other)
{
    return one && strcmp(one->shape, other->shape) == 0;
}

static void heads(struct columns *table, const struct report *report, const struct family *family)
{
    bool several = report->rows.run_count > 1;
    columns_cell(table, family->name);
    columns_cell(table, "");
    columns_cell(table, family->measures[1].metric ? "" : NULL);
    columns_cell(table, family_timed(family) ? "p50" : "figure");
    columns_cell(table, "times its limit");
    columns_cell(table, "");
    for (size_t i = 0; i < FIGURES_RIVALS; ++i)
        columns_cellf(table, "better than %s", figures_rivals[i]);
    if (several)
        columns_cellf(table, "better than in %s", report->rows.runs[0].label);
    else
        columns_cell(table, NULL);
    columns_cell(table, family_timed(family) ? "p99" : NULL);
    columns_cell(table, "blocks");
    columns_next(table);
}

static void figure_cells(struct columns *table, const struct report *report, const struct results_row *row,
                         const char *metric, const struct row_figures *figures)
{
    columns_cell(table, format_metric(metric, figures->value.median).text);
    ratio_cell(table, &figures->limit.distance.spread);
    columns_cell(table, figures->limit.distance.spread.count ? figures->limit.name : NULL);
    for (size_t i = 0; i < FIGURES_RIVALS; ++i)
        ratio_cell(table, &figures->better[i]);
    if (report->rows.run_count > 1)
        ratio_cell(table, &figures->first.spread);
    else
        columns_cell(table, NULL);
    columns_cell(table, isnan(figures->tail) ? NULL : format_duration(figures->tail).text);
    columns_cellf(table, "%zu", row->sample_count);
}

/* Below its distance to the limit that nobody beat: those that the row beat. */
static void beaten_lines(struct columns *table, const struct row_figures *figures)
{
    for (size_t b = 0; b < figures->beaten_count; ++b) {
        for (int i = 0; i < 4; ++i)
            columns_cell(table, NULL);
        columns_rest(table, figures_beats(&figures->beaten[b]).text);
        columns_next(table);
    }
}

/* Why the row has no figure, in place of one; false: it has. */
static bool no_figure(struct columns *table, const struct results_row *row)
{
    char text[400];
    if (results_row_figure(row))
        return false;
    if (row->not_applicable)
        snprintf(text, sizeof text, "does not apply: %s", row->not_applicable);
    else
        snprintf(text, sizeof text, "ERROR in %zu of %zu blocks: %s", row->failed, row->sample_count,
                 row->error ? row->error : "nothing was measured");
    columns_rest(table, text);
    return true;
}

static void measure_lines(struct columns *table, const struct report *report, const struct results_row *row,
                          const struct family *family, const char *place)
{
    const struct row_figures *headline = report_figures(report, row);
    bool first = true;
    for (const struct measure *measure = family->measures; measure->metric; ++measure) {
        struct row_figures own =
            measure == family->measures ? *headline : figures_of(&report->rows, row, measure->metric);
        if (results_row_figure(row) && own.value.count == 0 && isnan(own.value.median))
            continue;
        columns_cell(table, first ? place : NULL);
        columns_cell(table, first ? row->label : NULL);
        first = false;
        columns_cell(table, results_row_figure(row) ? measure->title : NULL);
        if (no_figure(table, row)) {
            columns_next(table);
            return;
        }
        figure_cells(table, report, row, measure->metric, &own);
        columns_next(table);
        beaten_lines(table, &own);
    }
}

static void family_table(FILE *out, const struct report *report, const struct family *family)
{
    struct columns table;
    const struct results_row *before = NULL;
    columns_begin(&table, "lllrrlrrrrr");
    for (size_t i = 0; i < report->rows.count; ++i) {
        const struct results_row *row = report->order[i];
        if (strcmp(row->family, family->name) != 0)
            continue;
        if (before == NULL) {
            fprintf(out, "\n%s\n", family->title);
            heads(&table, report, family);
        }
        measure_lines(&table, report, row, family, same_shape(before, row) ? NULL : family_label(row, true).text);
        before = row;
    }
    columns_print(&table, out);
}

/* The machine's own, and families that are not known here, row by row. */
static void other_rows(FILE *out, const struct report *report, bool limits)
{
    static const char *const heads[] = {"row", "figure", "interval, or range", "blocks"};
    struct columns table;
    bool any = false;
    columns_begin(&table, "lrrr");
    for (size_t i = 0; i < report->rows.count; ++i) {
        const struct results_row *row = report->order[i];
        const struct row_figures *figures = report_figures(report, row);
        bool limit = strcmp(row->driver, "limit") == 0, target = strncmp(row->family, "target-", 7) == 0;
        /* Of targets there is a table of their own, but for their errors. */
        if (limit != limits || family_find(row->family) || (target && results_row_figure(row)))
            continue;
        if (!any) {
            fputs(limits ? "\nThe machine's own\n" : "\nOther rows\n", out);
            for (size_t c = 0; c < sizeof heads / sizeof heads[0]; ++c)
                columns_cell(&table, heads[c]);
            columns_next(&table);
        }
        any = true;
        columns_cell(&table, row->name);
        if (!no_figure(&table, row)) {
            columns_cell(&table, format_metric(figures_metric(row), figures->value.median).text);
            columns_cellf(&table, "%s to %s", format_metric(figures_metric(row), figures->value.low).text,
                          format_metric(figures_metric(row), figures->value.high).text);
            columns_cellf(&table, "%zu", row->sample_count);
        }
        columns_next(&table);
    }
    columns_print(&table, out);
}

static void conformance_lines(FILE *out, const struct report *report)
{
    const struct results_matrix *matrix = &report->matrix;
    for (size_t i = 0; i < matrix->driver_count; ++i)
        fprintf(out, "%s%s: %s\n", i ? "" : "\n", matrix->drivers[i], report_verdict(report, i).text);
}

static void target_table(FILE *out, const struct report *report, size_t run)
{
    static const char *const titles[] = {"target",   "measured", "limit or rival", "ratio (95 % interval)",
                                         "to reach", "verdict"};
    struct target_words *words = targets_words(report, run);
    struct columns table;
    if (words == NULL)
        return;
    fputc('\n', out);
    columns_begin(&table, "llllll");
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; ++i)
        columns_cell(&table, titles[i]);
    columns_next(&table);
    for (size_t i = 0; i < RESULTS_TARGETS; ++i) {
        columns_cell(&table, words[i].name);
        columns_cell(&table, words[i].measured);
        columns_cell(&table, words[i].rival);
        columns_cell(&table, words[i].ratio);
        columns_cell(&table, words[i].bound);
        columns_cellf(&table, "%s%s%s", words[i].verdict, *words[i].why ? ": " : "", words[i].why);
        columns_next(&table);
    }
    columns_print(&table, out);
    free(words);
}

struct reasons {
    FILE *out;
    size_t count;
};

static void reason(void *context, const char *text)
{
    struct reasons *reasons = context;
    if (reasons->count++ == 0)
        fputs("\nNot fit to publish:\n", reasons->out);
    fprintf(reasons->out, "- %s\n", text);
}

static void notes(FILE *out, const struct report *report)
{
    bool unpaired = report->rows.run_count > 1;
    fputs("\nRatios: medians over pairs of cells of one block and, where that matters, of one placement of the CPUs, "
          "with "
          "the\n95 % interval, or the range of fewer than six. Times its limit: 1 is as fast as the limit that is "
          "named; – "
          "where "
          "no limit\nwas measured. What is given of times is compared by their medians (p50).",
          out);
    if (unpaired)
        fputs(" Two runs are compared as wholes, each by its limit where both have measured one.", out);
    fputc('\n', out);
}

/* What comes from a file must not steer the terminal. */
static void tame(char *text)
{
    for (; *text; ++text)
        if (((unsigned char)*text < 0x20 && *text != '\n') || *text == 0x7f ||
            ((unsigned char)text[0] == 0xc2 && (unsigned char)text[1] < 0xa0))
            *text = ' ';
}

char *report_text(const struct report *report)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    struct reasons reasons = {out, 0};
    if (out == NULL)
        return NULL;
    fprintf(out, "%s\n", report->title);
    for (size_t i = 0; i < report->run_count; ++i) {
        struct sentence where = report_where_else(report, i);
        if (*where.text)
            fprintf(out, "%s\n", where.text);
    }
    conformance_lines(out, report);
    for (const struct family *family = families; family->name; ++family)
        family_table(out, report, family);
    other_rows(out, report, false);
    other_rows(out, report, true);
    for (size_t run = 0; run < report->rows.run_count; ++run)
        if (results_targets_any(&report->rows, run))
            target_table(out, report, run);
    if (report->rows.count)
        notes(out, report);
    if (report_has(report, "bench") &&
        results_fitness(report->runs, report->run_count, &report->rows, reason, &reasons) == 0)
        fputs("\nFit to publish.\n", out);
    if (fclose(out) == 0) {
        tame(text);
        return text;
    }
    free(text);
    return NULL;
}
