/* Every row as a table: nothing that was measured is left out. */
#include "format.h"
#include "parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void metric_item(struct page *page, const struct results_row *row, const char *metric)
{
    struct results_spread spread = results_row_metric(row, metric);
    if (spread.count == 0)
        return;
    page_open(page, "li", NULL);
    page_textf(page, "%s ", format_metric_name(metric).text);
    page_element(page, "b", NULL, format_metric(metric, spread.median).text);
    if (spread.low != spread.high) {
        page_text(page, " ");
        page_open(page, "span", "class", "range", NULL);
        page_textf(page, "%s to %s", format_metric(metric, spread.low).text, format_metric(metric, spread.high).text);
        page_close(page);
    }
    page_close(page);
}

/* Blocks may have different metrics; each is listed where it first appears. */
static bool seen_before(const struct results_row *row, size_t sample, const char *metric)
{
    for (size_t i = 0; i < sample; ++i)
        if (cJSON_GetObjectItemCaseSensitive(row->samples[i].cell->metrics, metric))
            return true;
    return false;
}

/* Why a metric is null: what cannot be counted is not guessed. */
static void unmeasured(struct page *page, const struct results_row *row)
{
    const cJSON *why;
    cJSON_ArrayForEach(why, row->first->unmeasured)
    {
        if (!cJSON_IsString(why))
            continue;
        page_open(page, "li", NULL);
        page_textf(page, "%s: not measured, %s", format_metric_name(why->string).text, why->valuestring);
        page_close(page);
    }
}

/* All that was measured in the row's cells, folded away: most of it is for who doubts a figure. */
static void internals(struct page *page, const struct results_row *row)
{
    const cJSON *metric;
    page_open(page, "details", "class", "internals", NULL);
    page_element(page, "summary", NULL, "all of it");
    page_open(page, "p", "class", "facts", NULL);
    page_textf(page, "CPUs: %s.", report_placements(row, 1).text);
    page_close(page);
    page_open(page, "ul", NULL);
    for (size_t i = 0; i < row->sample_count; ++i)
        cJSON_ArrayForEach(metric, row->samples[i].cell->metrics)
        {
            if (!seen_before(row, i, metric->string))
                metric_item(page, row, metric->string);
        }
    unmeasured(page, row);
    page_close(page);
    page_close(page);
}

static void spread_cell(struct page *page, const struct results_spread *spread, const char *metric)
{
    page_open(page, "td", NULL);
    if (spread->count && !isnan(spread->low)) {
        page_textf(page, "%s to %s", format_metric(metric, spread->low).text, format_metric(metric, spread->high).text);
    } else {
        page_text(page, "–");
    }
    page_close(page);
}

static void limit_cell(struct page *page, const struct row_figures *figures)
{
    const struct results_limit *limit = &figures->limit;
    page_open(page, "td", NULL);
    if (limit->distance.spread.count) {
        page_textf(page, "%s %s ", format_ratio(limit->distance.spread.median).text, limit->name);
        page_open(page, "span", "class", "range", NULL);
        page_textf(page, "%s–%s", format_factor(limit->distance.spread.low).text,
                   format_factor(limit->distance.spread.high).text);
        page_close(page);
    } else {
        page_text(page, "–");
    }
    for (size_t i = 0; i < figures->beaten_count; ++i)
        page_element(page, "p", NULL, figures_beats(&figures->beaten[i]).text);
    page_close(page);
}

/* Cells that a hiccup of the machine left with few samples are named, not hidden in a median. */
static void blocks_cell(struct page *page, const struct results_row *row)
{
    page_open(page, "td", NULL);
    page_textf(page, "%zu", row->sample_count);
    if (row->thin) {
        page_text(page, " ");
        page_open(page, "span", "class", "range unsure", NULL);
        page_textf(page, "%zu with few samples: %s, usual are %s", row->thin, format_count(row->fewest).text,
                   format_count(row->usual).text);
        page_close(page);
    }
    page_close(page);
}

static void no_figure(struct page *page, const struct results_row *row)
{
    page_open(page, "td", "colspan", "6", "class", "words", NULL);
    if (row->not_applicable)
        page_textf(page, "does not apply: %s", row->not_applicable);
    else
        page_textf(page, "no figure: %zu of %zu blocks failed: %s", row->failed, row->sample_count,
                   row->error ? row->error : "nothing was measured");
    page_close(page);
}

static void one_row(struct page *page, const struct report *report, const struct results_row *row)
{
    const struct row_figures *figures = report_figures(report, row);
    const char *metric = figures_metric(row);
    page_open(page, "tr", NULL);
    page_open(page, "th", "scope", "row", NULL);
    page_element(page, "code", NULL, row->name);
    if (report->rows.run_count > 1)
        page_textf(page, " %s", report->rows.runs[row->run].label);
    page_close(page);
    if (results_row_figure(row)) {
        page_element(page, "td", "value", format_metric(metric, figures->value.median).text);
        spread_cell(page, &figures->value, metric);
        limit_cell(page, figures);
        page_element(page, "td", NULL, isnan(figures->tail) ? "–" : format_duration(figures->tail).text);
        blocks_cell(page, row);
        page_open(page, "td", "class", "metrics", NULL);
        internals(page, row);
        page_close(page);
    } else {
        no_figure(page, row);
    }
    page_close(page);
}

static bool belongs(const struct results_row *row, const struct results_row *group)
{
    bool limit = strcmp(row->driver, "limit") == 0, limits = strcmp(group->driver, "limit") == 0;
    return limit == limits && (limit || strcmp(row->family, group->family) == 0);
}

/* Folded away, unless there is a row to be looked at. */
static void group_begin(struct page *page, const struct report *report, const struct results_row *group)
{
    static const char *const heads[] = {"Row",    "Figure",  "95 % interval, or range", "Times its limit", "p99",
                                        "Blocks", "Measured"};
    const char *name = strcmp(group->driver, "limit") == 0 ? "the machine's own" : group->family;
    size_t rows = 0, failed = 0;
    char caption[160];
    for (size_t i = 0; i < report->rows.count; ++i)
        if (belongs(report->order[i], group)) {
            ++rows;
            failed += !results_row_figure(report->order[i]) && report->order[i]->not_applicable == NULL;
        }
    page_open(page, "details", "class", "group", "open", failed ? "" : NULL, NULL);
    page_open(page, "summary", NULL);
    page_element(page, "b", NULL, name);
    page_textf(page, ": %zu row%s", rows, rows == 1 ? "" : "s");
    if (failed) {
        page_text(page, ", ");
        page_open(page, "span", "class", "bad", NULL);
        page_textf(page, "%zu without a figure", failed);
        page_close(page);
    }
    page_close(page);
    snprintf(caption, sizeof caption, "Rows: %.100s", name);
    part_table_begin(page, "rows", caption);
    part_heads(page, heads, sizeof heads / sizeof heads[0]);
    page_open(page, "tbody", NULL);
}

static void group_end(struct page *page)
{
    page_close(page);
    part_table_end(page);
    page_close(page);
}

/* Family by family; the machine's own come last. */
void part_rows(struct page *page, const struct report *report)
{
    part_begin(page, "rows", "Every row");
    page_element(page, "p", "lead",
                 "Each row was measured once in each block, blocks in shuffled order. A row with a failed block is no "
                 "figure. Ratios are of the figure, which of times is the median.");
    for (int limits = 0; limits < 2; ++limits) {
        const struct results_row *group = NULL;
        for (size_t i = 0; i < report->rows.count; ++i) {
            const struct results_row *row = report->order[i];
            if ((strcmp(row->driver, "limit") == 0) != limits)
                continue;
            if (group == NULL || !belongs(row, group)) {
                if (group)
                    group_end(page);
                group = row;
                group_begin(page, report, group);
            }
            one_row(page, report, row);
        }
        if (group)
            group_end(page);
    }
    page_close(page);
}
