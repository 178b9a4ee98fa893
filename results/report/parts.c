#include "parts.h"

#include "format.h"
#include "marks.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void part_begin(struct page *page, const char *id, const char *title)
{
    char heading[64];
    snprintf(heading, sizeof heading, "%s-title", id);
    page_open(page, "section", "id", id, "aria-labelledby", heading, NULL);
    page_open(page, "h2", "id", heading, NULL);
    page_text(page, title);
    page_close(page);
}

void part_table_begin(struct page *page, const char *class, const char *caption)
{
    char id[32];
    snprintf(id, sizeof id, "table-%u", ++page->tables);
    page_open(page, "div", "class", "scroll", "tabindex", "0", "role", "region", "aria-label", caption, NULL);
    page_open(page, "table", "id", id, "class", class, "role", "table", NULL);
    page_element(page, "caption", NULL, caption);
}

void part_heads(struct page *page, const char *const *heads, size_t count)
{
    page_open(page, "thead", NULL);
    page_open(page, "tr", NULL);
    for (size_t i = 0; i < count; ++i) {
        page_open(page, "th", "scope", "col", NULL);
        page_text(page, heads[i]);
        page_close(page);
    }
    page_close(page);
    page_close(page);
}

void part_table_end(struct page *page)
{
    page_close(page);
    page_close(page);
}

void part_more_begin(struct page *page, const char *summary)
{
    page_open(page, "details", "class", "more", NULL);
    page_element(page, "summary", NULL, summary);
    page_open(page, "div", "class", "plates", NULL);
}

void part_more_end(struct page *page)
{
    page_close(page);
    page_close(page);
}

static void key(struct page *page, int style)
{
    char class[32];
    snprintf(class, sizeof class, "key %s", mark_class(style));
    page_open(page, "svg", "class", class, "viewBox", "-8 -8 16 16", "aria-hidden", "true", NULL);
    page_open(page, "path", "d", mark_path(style), NULL);
    page_close(page);
    page_close(page);
}

void part_driver(struct page *page, const struct report *report, const char *label)
{
    page_open(page, "span", "class", "driver", NULL);
    key(page, report_style(report, label));
    page_text(page, label);
    page_close(page);
}

/* "Messages a second by size" is "messages-a-second-by-size": a place in the page, and a file's name. */
static void name_figure(char *out, size_t size, const char *title)
{
    size_t used = 0;
    for (; *title && used + 2 < size; ++title) {
        bool letter = (*title >= 'a' && *title <= 'z') || (*title >= '0' && *title <= '9');
        char lower = *title >= 'A' && *title <= 'Z' ? (char)(*title - 'A' + 'a') : *title;
        if (letter || lower != *title)
            out[used++] = lower;
        else if (used && out[used - 1] != '-')
            out[used++] = '-';
    }
    while (used && out[used - 1] == '-')
        --used;
    out[used] = '\0';
}

void part_figure_begin(struct page *page, const struct figure *figure)
{
    char id[96];
    name_figure(id, sizeof id, figure->title);
    page_open(page, "figure", "id", id, "data-kind", figure->kind, "data-x-kind", figure->x_kind, "data-x-label",
              figure->x_label, "data-y-kind", figure->y_kind, "data-y-label", figure->y_label, NULL);
    page_open(page, "figcaption", NULL);
    page_element(page, "h3", NULL, figure->title);
    if (*figure->note)
        page_element(page, "p", NULL, figure->note);
    page_close(page);
    page_open(page, "div", "class", "plot", NULL);
    page_close(page);
    if (figure->missing && *figure->missing)
        page_element(page, "p", figure->failed ? "missing bad words" : "missing words", figure->missing);
    /* Open without JavaScript; the script closes it once the chart is drawn. */
    page_open(page, "details", "class", "data", "open", "", NULL);
    page_element(page, "summary", NULL, "The figures as a table");
    part_table_begin(page, "figures", figure->title);
}

void part_figure_end(struct page *page)
{
    part_table_end(page);
    page_close(page);
    page_close(page);
}

bool part_missing(char *out, size_t size, const struct results_row *row)
{
    size_t used = strlen(out);
    const char *gap = used ? " " : "";
    if (results_row_figure(row))
        return false;
    if (row->not_applicable)
        snprintf(out + used, size - used, "%sDoes not apply to %s: %s.", gap, row->label, row->not_applicable);
    else
        snprintf(out + used, size - used, "%sNo figure for %s: %s.", gap, row->label,
                 row->error ? row->error : "nothing was measured");
    return row->not_applicable == NULL;
}

void part_series(struct page *page, const struct series *series)
{
    char number[16];
    snprintf(number, sizeof number, "%d", series->style);
    page_open(page, "tr", "class", series->variant ? "beside" : NULL, "data-series", series->name, "data-style", number,
              "data-variant", series->variant, "data-of", series->of, "data-points", series->points, NULL);
    page_open(page, "th", "scope", "row", NULL);
    page_open(page, "span", "class", "driver", NULL);
    key(page, series->style);
    page_text(page, series->variant ? series->variant : series->name);
    page_close(page);
    page_close(page);
}

void part_bars_begin(struct page *page, const struct figure *figure, const char *value)
{
    const char *const heads[] = {"Measurement", "Implementation", value, "95 % interval, or range", "Blocks"};
    part_figure_begin(page, figure);
    part_heads(page, heads, sizeof heads / sizeof heads[0]);
    page_open(page, "tbody", NULL);
}

void part_bars_end(struct page *page)
{
    page_close(page);
    part_figure_end(page);
}

static struct formatted worded(const char *metric, double value)
{
    return metric ? format_metric(metric, value) : format_ratio(value);
}

void part_bar(struct page *page, const struct report *report, const struct bar *bar)
{
    const struct results_spread *spread = &bar->spread;
    char style[16], median[32] = "", low[32], high[32];
    snprintf(style, sizeof style, "%d", report_style(report, bar->label));
    /* The axis is logarithmic: what is 0 is in the table only, and a bar begins above it. */
    if (spread->median > 0)
        snprintf(median, sizeof median, "%.5g", spread->median);
    snprintf(low, sizeof low, "%.5g", spread->low > 0 ? spread->low : spread->median / 2);
    snprintf(high, sizeof high, "%.5g", spread->high);
    page_open(page, "tr", "data-series", bar->label, "data-style", style, "data-category", bar->category, "data-mid",
              *median ? median : NULL, "data-low", low, "data-high", high, NULL);
    page_open(page, "th", "scope", "row", NULL);
    page_text(page, bar->category);
    page_close(page);
    page_open(page, "td", "class", "name", NULL);
    part_driver(page, report, bar->label);
    page_close(page);
    page_element(page, "td", NULL, worded(bar->metric, spread->median).text);
    page_open(page, "td", NULL);
    page_textf(page, "%s to %s%s", worded(bar->metric, spread->low).text, worded(bar->metric, spread->high).text,
               spread->interval ? "" : " (range)");
    page_close(page);
    page_open(page, "td", NULL);
    page_textf(page, "%zu", spread->count);
    page_close(page);
    page_close(page);
}
