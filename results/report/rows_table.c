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

static void metrics_cell(struct page *page, const struct results_row *row)
{
    const cJSON *metric;
    page_open(page, "td", "class", "metrics", NULL);
    if (!results_row_figure(row)) {
        page_open(page, "span", "class", "words", NULL);
        page_textf(page, "no figure: %zu of %zu blocks failed: %s", row->failed, row->sample_count, row->error);
        page_close(page);
        page_close(page);
        return;
    }
    page_open(page, "ul", NULL);
    for (size_t i = 0; i < row->sample_count; ++i)
        cJSON_ArrayForEach(metric, row->samples[i].cell->metrics)
        {
            if (!seen_before(row, i, metric->string))
                metric_item(page, row, metric->string);
        }
    page_close(page);
    page_close(page);
}

void part_rows(struct page *page, const struct report *report)
{
    static const char *const heads[] = {"Row", "Blocks", "CPUs",
                                        "Median over the blocks, and its 95 % interval or range"};
    part_begin(page, "rows", "Every row");
    page_element(
        page, "p", "lead",
        "One row is one measurement of one implementation, repeated in every block of the run in a shuffled order. A "
        "row with a failed block is no figure.");
    part_table_begin(page, "rows", "All rows of the benchmark");
    page_open(page, "thead", NULL);
    page_open(page, "tr", NULL);
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; ++i) {
        page_open(page, "th", "scope", "col", NULL);
        page_text(page, heads[i]);
        page_close(page);
    }
    page_close(page);
    page_close(page);
    page_open(page, "tbody", NULL);
    for (size_t i = 0; i < report->rows.count; ++i) {
        const struct results_row *row = &report->rows.rows[i];
        page_open(page, "tr", NULL);
        page_open(page, "th", "scope", "row", NULL);
        page_element(page, "code", NULL, row->name);
        page_close(page);
        page_open(page, "td", NULL);
        page_textf(page, "%zu", row->sample_count);
        page_close(page);
        page_element(page, "td", NULL, report_placements(row, 1).text);
        metrics_cell(page, row);
        page_close(page);
    }
    page_close(page);
    part_table_end(page);
    page_close(page);
}
