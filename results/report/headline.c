/* Implementations side by side: the verdict of each, then the figures that matter most, and what they are compared with
 * with: pipe, TCP and the machine's limit. */
#include "families.h"
#include "format.h"
#include "parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The roles say what the elements are anyway: see conformance.c. */
static void row_begin(struct page *page, const char *title, const char *what)
{
    page_open(page, "tr", "role", "row", NULL);
    page_open(page, "th", "scope", "row", "role", "rowheader", NULL);
    page_text(page, title);
    if (*what) {
        page_text(page, " ");
        page_element(page, "span", "range", what);
    }
    page_close(page);
}

/* On a narrow screen the row is folded, and the head of the column out of sight. */
static void square_begin(struct page *page, const struct report *report, size_t driver)
{
    page_open(page, "td", "role", "cell", NULL);
    page_open(page, "span", "class", "who", "aria-hidden", "true", NULL);
    part_driver(page, report, report->drivers[driver].label);
    page_close(page);
}

static void verdict(struct page *page, const struct report *report, size_t driver)
{
    bool unsure =
        report_cut_short(report, "conformance") || results_matrix_count(&report->matrix, driver, RESULTS_UNKNOWN) > 0;
    bool bad = results_matrix_count(&report->matrix, driver, RESULTS_FAIL) +
                   results_matrix_count(&report->matrix, driver, RESULTS_XPASS) +
                   results_matrix_count(&report->matrix, driver, RESULTS_ERROR) >
               0;
    page_open(page, "p", "class", bad ? "verdict bad" : unsure ? "verdict unsure" : "verdict good", NULL);
    page_open(page, "span", "class", "mark", "aria-hidden", "true", NULL);
    page_text(page, bad ? "✗" : unsure ? "?" : "✓");
    page_close(page);
    page_element(page, "span", NULL, report_verdict(report, driver).text);
    page_close(page);
}

static void verdict_row(struct page *page, const struct report *report)
{
    row_begin(page, "Conformance", "");
    for (size_t i = 0; i < report->driver_count; ++i) {
        int index = report_index(report, &report->drivers[i]);
        square_begin(page, report, i);
        if (index >= 0)
            verdict(page, report, (size_t)index);
        else
            page_element(page, "p", "range", "not tested");
        page_close(page);
    }
    page_close(page);
}

/* "2.45 × slower than cache line (2.27–2.64)"; what is below 1 is turned over, and what may be on either side of 1 is
 * said with a perhaps. */
static void compared(struct page *page, const struct results_spread *ratio, const char *above, const char *below,
                     const char *with)
{
    struct results_spread turned = ratio->median < 1 ? results_inverse(*ratio) : *ratio;
    if (ratio->count == 0)
        return;
    page_open(page, "li", NULL);
    page_textf(page, "%s%s %s %s ", turned.low < 1 && turned.high > 1 ? "perhaps " : "",
               format_ratio(turned.median).text, ratio->median < 1 ? below : above, with);
    page_open(page, "span", "class", "range", NULL);
    if (turned.count == 1)
        page_text(page, "(one block)");
    else
        page_textf(page, "(%s–%s)", format_factor(turned.low).text, format_factor(turned.high).text);
    page_close(page);
    page_close(page);
}

static bool has_details(const struct row_figures *figures)
{
    size_t ratios = figures->limit.distance.spread.count + figures->beaten_count + figures->first.spread.count;
    for (size_t i = 0; i < FIGURES_RIVALS; ++i)
        ratios += figures->better[i].count;
    return ratios > 0 || !isnan(figures->tail);
}

/* What the figure is compared with, and last what else is known of it. */
static void details(struct page *page, const struct report *report, const struct row_figures *figures)
{
    char with[160];
    if (!has_details(figures))
        return;
    page_open(page, "ul", NULL);
    for (size_t i = 0; i < FIGURES_RIVALS; ++i)
        compared(page, &figures->better[i], "better than", "worse than", figures_rivals[i]);
    compared(page, &figures->limit.distance.spread, "slower than", "faster than", figures->limit.name);
    for (size_t i = 0; i < figures->beaten_count; ++i)
        page_element(page, "li", NULL, figures_beats(&figures->beaten[i]).text);
    if (report->rows.run_count > 1) {
        snprintf(with, sizeof with, "in %.100s", report->rows.runs[0].label);
        compared(page, &figures->first.spread, "better than", "worse than", with);
    }
    if (!isnan(figures->tail)) {
        page_open(page, "li", NULL);
        page_textf(page, "p99 %s", format_duration(figures->tail).text);
        page_close(page);
    }
    page_close(page);
}

static void no_figure(struct page *page, const struct results_row *row)
{
    page_element(page, "b", row->not_applicable ? "none" : "none bad",
                 row->not_applicable ? "does not apply" : "no figure");
    page_element(page, "p", "range",
                 row->not_applicable ? row->not_applicable
                 : row->error        ? row->error
                                     : "nothing was measured");
}

/* The headline metric of a family's key rows; nothing where nobody has one. */
static void family_row(struct page *page, const struct report *report, const char *name)
{
    const struct family *family = family_find(name);
    const struct results_row *any = NULL;
    for (size_t i = 0; i < report->driver_count && any == NULL; ++i)
        any = report_key_row(report, report->drivers[i].label, name);
    if (any == NULL)
        return;
    row_begin(page, family->measures[0].title ? family->measures[0].title : family->title,
              family_label(any, true).text);
    for (size_t i = 0; i < report->driver_count; ++i) {
        const struct results_row *row = report_key_row(report, report->drivers[i].label, name);
        square_begin(page, report, i);
        if (row && !results_row_figure(row)) {
            no_figure(page, row);
        } else if (row) {
            const struct row_figures *figures = report_figures(report, row);
            page_element(page, "b", NULL, format_metric(figures_metric(row), figures->value.median).text);
            details(page, report, figures);
        } else {
            page_text(page, "–");
        }
        page_close(page);
    }
    page_close(page);
}

static void peak_row(struct page *page, const struct report *report)
{
    bool any = false;
    for (size_t i = 0; i < report->driver_count; ++i)
        any = any || report_peak(report, report->drivers[i].label);
    if (!any)
        return;
    row_begin(page, "Most bytes a second", "of all sizes");
    for (size_t i = 0; i < report->driver_count; ++i) {
        const struct results_row *peak = report_peak(report, report->drivers[i].label);
        square_begin(page, report, i);
        if (peak) {
            page_element(page, "b", NULL, format_bandwidth(results_row_metric(peak, "bytes_per_second").median).text);
            page_open(page, "span", "class", "range", NULL);
            page_textf(page, " in messages of %s", format_size(peak->first->size).text);
            page_close(page);
        } else {
            page_text(page, "–");
        }
        page_close(page);
    }
    page_close(page);
}

/* Beside the times what they cost: a reader that spins is disclosed here. */
static void idle_row(struct page *page, const struct report *report)
{
    bool any = false;
    for (size_t i = 0; i < report->driver_count; ++i)
        any = any || report_idle(report, report->drivers[i].label).count > 0;
    if (!any)
        return;
    row_begin(page, "CPU while nothing is sent", "of a core");
    for (size_t i = 0; i < report->driver_count; ++i) {
        struct results_spread idle = report_idle(report, report->drivers[i].label);
        square_begin(page, report, i);
        page_element(page, "b", NULL, format_metric("idle_cpu_share", idle.count ? idle.median : NAN).text);
        page_close(page);
    }
    page_close(page);
}

static void heads(struct page *page, const struct report *report)
{
    page_open(page, "thead", "role", "rowgroup", NULL);
    page_open(page, "tr", "role", "row", NULL);
    page_open(page, "th", "scope", "col", "role", "columnheader", NULL);
    page_text(page, report->rows.count ? "Times: the median" : "Verdict");
    page_close(page);
    for (size_t i = 0; i < report->driver_count; ++i) {
        page_open(page, "th", "scope", "col", "role", "columnheader", NULL);
        part_driver(page, report, report->drivers[i].label);
        page_close(page);
    }
    page_close(page);
    page_close(page);
}

void part_headline(struct page *page, const struct report *report)
{
    static const char *const families_shown[] = {"latency", "hot", "wakeup", "throughput"};
    part_begin(page, "headline", "At a glance");
    part_table_begin(
        page, "headline",
        report->rows.count
            ? "Key figures; in brackets the 95 % interval of a ratio, or its range over fewer than six pairs"
            : "What conformance came to");
    heads(page, report);
    page_open(page, "tbody", "role", "rowgroup", NULL);
    if (report_has(report, "conformance"))
        verdict_row(page, report);
    for (size_t i = 0; i < sizeof families_shown / sizeof families_shown[0]; ++i)
        family_row(page, report, families_shown[i]);
    peak_row(page, report);
    family_row(page, report, "cost");
    idle_row(page, report);
    page_close(page);
    part_table_end(page);
    page_close(page);
}
