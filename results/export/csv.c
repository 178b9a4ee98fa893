/* Comma-separated values, quoted as RFC 4180 has it; the columns are described in ../FORMAT.md. */
#include "export.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void field(FILE *out, const char *text, bool last)
{
    bool quoted = text && strpbrk(text, ",\"\r\n") != NULL;
    if (quoted)
        fputc('"', out);
    for (; text && *text; ++text) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    if (quoted)
        fputc('"', out);
    fputc(last ? '\n' : ',', out);
}

/* What came from drivers must not be what a spreadsheet computes. */
static void words(FILE *out, const char *text, bool last)
{
    bool formula = text && *text && strchr("=+-@\t\n", *text) != NULL;
    char *harmless = NULL;
    if (formula && asprintf(&harmless, "'%s", text) < 0)
        harmless = NULL;
    field(out, formula ? harmless : text, last);
    free(harmless);
}

static void number(FILE *out, double value)
{
    field(out, export_number(value).text, false);
}

static void row_fields(FILE *out, const struct results_row *row)
{
    words(out, row->name, false);
    words(out, row->family, false);
    words(out, row->driver, false);
    number(out, row->first->size);
    number(out, row->first->publishers);
    number(out, row->first->subscribers);
    number(out, row->first->rate);
}

static void figure(FILE *out, const struct results_row *row, const char *metric)
{
    struct results_spread spread = results_row_metric(row, metric);
    row_fields(out, row);
    words(out, metric, false);
    field(out, export_unit(metric).text, false);
    number(out, spread.median);
    number(out, spread.low);
    number(out, spread.high);
    field(out, spread.interval ? "95%" : "range", false);
    number(out, (double)row->sample_count);
    field(out, "", true);
}

static void no_figure(FILE *out, const struct results_row *row)
{
    row_fields(out, row);
    fputs(",,,,,,", out);
    number(out, (double)row->sample_count);
    words(out, row->error ? row->error : row->not_applicable, true);
}

void export_csv_rows(FILE *out, const struct export *export)
{
    fputs("row,family,driver,size,publishers,subscribers,rate,metric,unit,value,low,high,interval,blocks,error\n", out);
    for (size_t i = 0; i < export->row_count; ++i) {
        const char *metrics[EXPORT_FIGURES];
        if (!results_row_figure(export->rows[i])) {
            no_figure(out, export->rows[i]);
            continue;
        }
        export_figures(export->rows[i], metrics);
        for (size_t m = 0; metrics[m]; ++m)
            figure(out, export->rows[i], metrics[m]);
    }
}

static void cell_fields(FILE *out, const struct results_row *row, const struct results_cell *cell)
{
    row_fields(out, row);
    number(out, cell->block);
    words(out, cell->placement, false);
    number(out, cell->line_before_ns);
    number(out, cell->line_after_ns);
    number(out, cell->steal_ns);
    number(out, cell->context_switches);
}

static void cell_lines(FILE *out, const struct results_row *row, const struct results_cell *cell)
{
    const char *error = cell->error ? cell->error : cell->not_applicable;
    const cJSON *metric;
    if (error) {
        cell_fields(out, row, cell);
        fputs(",,", out);
        words(out, error, true);
        return;
    }
    cJSON_ArrayForEach(metric, cell->metrics)
    {
        bool known = cJSON_IsNumber(metric);
        cell_fields(out, row, cell);
        words(out, metric->string, false);
        number(out, known ? metric->valuedouble : NAN);
        field(out, known ? "" : "not measured", true);
    }
}

void export_csv_cells(FILE *out, const struct export *export)
{
    fputs("row,family,driver,size,publishers,subscribers,rate,block,placement,line_before_ns,line_after_ns,steal_ns,"
          "context_switches,metric,value,error\n",
          out);
    for (size_t i = 0; i < export->row_count; ++i)
        for (size_t s = 0; s < export->rows[i]->sample_count; ++s)
            cell_lines(out, export->rows[i], export->rows[i]->samples[s].cell);
}
