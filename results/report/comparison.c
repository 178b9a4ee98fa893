/* Ratios: to pipe and TCP, and to the machine's own limits. Both are paired, cell by cell within a block and a
 * placement of the CPUs, since on many machines everything moves with the placement. */
#include "families.h"
#include "format.h"
#include "parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Turned over, so that more is better (or worse) for times and rates alike. */
static struct results_spread inverted(struct results_spread spread)
{
    struct results_spread out = spread;
    out.median = 1 / spread.median;
    out.low = 1 / spread.high;
    out.high = 1 / spread.low;
    return out;
}

static void ratio_head(struct page *page, const char *ratio)
{
    const char *const heads[] = {"Measurement", "Implementation", ratio, "95 % interval", "Blocks"};
    page_open(page, "thead", NULL);
    page_open(page, "tr", NULL);
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; ++i) {
        page_open(page, "th", "scope", "col", NULL);
        page_text(page, heads[i]);
        page_close(page);
    }
    page_close(page);
    page_close(page);
}

static void number(char *out, size_t size, double value)
{
    snprintf(out, size, "%.5g", value);
}

static void ratio_row(struct page *page, const struct report *report, const char *category, const char *driver,
                      struct results_spread spread)
{
    char style[16], median[32], low[32], high[32];
    snprintf(style, sizeof style, "%d", report_style(report, driver));
    number(median, sizeof median, spread.median);
    number(low, sizeof low, spread.low);
    number(high, sizeof high, spread.high);
    page_open(page, "tr", "data-series", driver, "data-style", style, "data-category", category, "data-mid", median,
              "data-low", low, "data-high", high, NULL);
    page_open(page, "th", "scope", "row", NULL);
    page_text(page, category);
    page_close(page);
    page_open(page, "td", "class", "name", NULL);
    part_driver(page, report, driver);
    page_close(page);
    page_element(page, "td", NULL, format_ratio(spread.median).text);
    page_open(page, "td", NULL);
    page_textf(page, "%s to %s%s", format_ratio(spread.low).text, format_ratio(spread.high).text,
               spread.interval ? "" : " (range)");
    page_close(page);
    page_open(page, "td", NULL);
    page_textf(page, "%zu", spread.count);
    page_close(page);
    page_close(page);
}

struct category {
    char text[192];
};

/* "hot, 64 B": short enough for an axis. One publisher and one subscriber go without saying. */
static struct category category_of(const struct results_row *row, const char *suffix)
{
    static const char alone[] = ", 1 × 1";
    struct family_label label = family_label(row);
    struct category out;
    char *place = strstr(label.text, alone);
    if (place)
        memmove(place, place + sizeof alone - 1, strlen(place + sizeof alone - 1) + 1);
    snprintf(out.text, sizeof out.text, "%s%s, %s", row->family, suffix, label.text);
    return out;
}

/* Rows are sorted by family, shape and driver; this walks them shape by shape, and within it driver by driver. */
static size_t baseline_rows(struct page *page, const struct report *report, const struct results_row *base)
{
    const struct family *family = family_find(base->family);
    size_t count = 0;
    for (size_t d = 0; family && d < report->driver_count; ++d) {
        const struct results_row *row = results_rows_find(&report->rows, report->drivers[d], base->shape);
        struct results_spread spread;
        if (row == NULL || row == base || !results_row_figure(row) || !results_row_figure(base))
            continue;
        spread = results_row_ratio(row, base, family->metric);
        if (spread.count == 0)
            continue;
        ++count;
        if (page)
            ratio_row(page, report, category_of(row, "").text, row->driver,
                      family->higher_is_better ? spread : inverted(spread));
    }
    return count;
}

static size_t all_baseline_rows(struct page *page, const struct report *report, const char *baseline)
{
    size_t count = 0;
    for (const struct family *family = families; family->name; ++family)
        for (size_t i = 0; i < report->rows.count; ++i)
            if (strcmp(report->rows.rows[i].family, family->name) == 0 &&
                strcmp(report->rows.rows[i].driver, baseline) == 0)
                count += baseline_rows(page, report, &report->rows.rows[i]);
    return count;
}

static void baseline_figure(struct page *page, const struct report *report, const char *baseline, const char *what)
{
    char title[128];
    struct figure figure = {
        .title = title,
        .note =
            "The median of the ratios, one for each block that has both within one placement of the CPUs (within "
            "several: their geometric mean), with its 95 % interval; with fewer than six blocks, with its range. Times "
            "are compared by their median.",
        .kind = "ratio",
        .x_kind = "ratio",
        .x_label = "times better (1: the same)",
    };
    if (all_baseline_rows(NULL, report, baseline) == 0)
        return;
    snprintf(title, sizeof title, "Times better than %s", what);
    part_figure_begin(page, &figure);
    ratio_head(page, "Times better");
    page_open(page, "tbody", NULL);
    all_baseline_rows(page, report, baseline);
    page_close(page);
    part_figure_end(page);
}

/* The machine's own figure of that name and size, or NULL. */
static const struct results_row *limit_find(const struct report *report, const char *name, double size)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < report->rows.count; ++i) {
        const struct results_row *limit = &report->rows.rows[i];
        if (strncmp(limit->name, name, length) == 0 && limit->name[length] == '/' && limit->first->size == size &&
            results_row_figure(limit))
            return limit;
    }
    return NULL;
}

/* How far a row is from the limit that bounds it, as times slower; count 0 if no limit was measured for it. A bare ring
 * does what a driver must; memcpy, which stands in where none was measured, does less. */
static struct results_spread distance(const struct report *report, const struct results_row *row, const char **suffix)
{
    static const struct {
        const char *name, *metric, *suffix;
    } limits[] = {{"limit/bare-ring", "messages_per_second", " / bare ring"},
                  {"limit/memcpy", "bytes_per_second", " / memcpy"}};
    const struct family *family = family_find(row->family);
    struct results_spread spread = {.count = 0};

    if (family == NULL || !results_row_figure(row))
        return spread;
    if (family->beside_line) {
        *suffix = " / cache line";
        return results_row_line_ratio(row, family->metric);
    }
    if (!family->higher_is_better || row->first->subscribers != 1 || row->first->publishers != 1)
        return spread;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0] && spread.count == 0; ++i) {
        const struct results_row *limit = limit_find(report, limits[i].name, row->first->size);
        *suffix = limits[i].suffix;
        if (limit)
            spread = results_row_ratio(row, limit, limits[i].metric);
    }
    return spread.count ? inverted(spread) : spread;
}

/* The rows of one shape, in the order of the drivers. */
static size_t limit_rows_of_shape(struct page *page, const struct report *report, const char *shape)
{
    size_t count = 0;
    for (size_t d = 0; d < report->driver_count; ++d) {
        const struct results_row *row = results_rows_find(&report->rows, report->drivers[d], shape);
        const char *suffix = "";
        struct results_spread spread = {.count = 0};
        if (row)
            spread = distance(report, row, &suffix);
        if (spread.count == 0)
            continue;
        ++count;
        if (page)
            ratio_row(page, report, category_of(row, suffix).text, row->driver, spread);
    }
    return count;
}

static size_t limit_rows(struct page *page, const struct report *report)
{
    const struct results_row *rows = report->rows.rows;
    size_t count = 0;
    for (const struct family *family = families; family->name; ++family)
        for (size_t i = 0; i < report->rows.count; ++i)
            if (strcmp(rows[i].family, family->name) == 0 && (i == 0 || strcmp(rows[i].shape, rows[i - 1].shape) != 0))
                count += limit_rows_of_shape(page, report, rows[i].shape);
    return count;
}

static void limit_figure(struct page *page, const struct report *report)
{
    struct figure figure = {
        .title = "Distance to the machine's limit",
        .note =
            "1 would be as fast as the machine allows; one value for each block. Throughput is compared with a bare "
            "ring in shared memory, or with memcpy where no ring of that size was measured; hot times with one way of "
            "a cache line between the same CPUs, measured just before and after. Times at a fixed rate are not: such a "
            "cell is one long piece, and the CPUs may move within it.",
        .kind = "ratio",
        .x_kind = "ratio",
        .x_label = "times slower (1: as fast)",
    };
    if (limit_rows(NULL, report) == 0)
        return;
    part_figure_begin(page, &figure);
    ratio_head(page, "Times the limit");
    page_open(page, "tbody", NULL);
    limit_rows(page, report);
    page_close(page);
    part_figure_end(page);
}

void part_comparison(struct page *page, const struct report *report)
{
    part_begin(page, "comparison", "Comparison");
    page_open(page, "div", "class", "plates wide", NULL);
    baseline_figure(page, report, "fifo", "the pipe (fifo)");
    baseline_figure(page, report, "tcp", "TCP");
    limit_figure(page, report);
    page_close(page);
    page_close(page);
}
