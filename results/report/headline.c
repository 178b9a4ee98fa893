/* Implementations side by side, or below each other if there are many: the verdict of each, then the figures that
 * matter most, and what they are compared with: pipe, TCP and the machine's limit. */
#include "families.h"
#include "format.h"
#include "parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* One thing that is said of each implementation. */
struct topic {
    const char *title;
    struct family_label what;
    const char *family; /* NULL: none */
    void (*say)(struct page *page, const struct report *report, size_t driver, const struct topic *topic);
};

static const char *const timed[] = {"latency", "hot", "wakeup", "throughput"};

enum { TOPICS = sizeof timed / sizeof timed[0] + 4 /* all but these: each has its own line in topics_of() */ };

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

static void say_verdict(struct page *page, const struct report *report, size_t driver, const struct topic *topic)
{
    int index = report_index(report, &report->drivers[driver]);
    (void)topic;
    if (index >= 0)
        verdict(page, report, (size_t)index);
    else
        page_element(page, "p", "range", "not tested");
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

/* The headline metric of a family's key row. */
static void say_family(struct page *page, const struct report *report, size_t driver, const struct topic *topic)
{
    const struct results_row *row = report_key_row(report, report->drivers[driver].label, topic->family);
    if (row == NULL) {
        page_text(page, "–");
    } else if (!results_row_figure(row)) {
        no_figure(page, row);
    } else {
        const struct row_figures *figures = report_figures(report, row);
        page_element(page, "b", NULL, format_metric(figures_metric(row), figures->value.median).text);
        details(page, report, figures);
    }
}

static void say_peak(struct page *page, const struct report *report, size_t driver, const struct topic *topic)
{
    const struct results_row *peak = report_peak(report, report->drivers[driver].label);
    (void)topic;
    if (peak == NULL) {
        page_text(page, "–");
        return;
    }
    page_element(page, "b", NULL, format_bandwidth(results_row_metric(peak, "bytes_per_second").median).text);
    page_open(page, "span", "class", "range", NULL);
    page_textf(page, " in messages of %s", format_size(peak->first->size).text);
    page_close(page);
}

/* Beside the times what they cost: a reader that spins is disclosed here. */
static void say_idle(struct page *page, const struct report *report, size_t driver, const struct topic *topic)
{
    struct results_spread idle = report_idle(report, report->drivers[driver].label);
    (void)topic;
    page_element(page, "b", NULL, format_metric("idle_cpu_share", idle.count ? idle.median : NAN).text);
}

/* A family of which somebody has a key row; how many topics that is. */
static size_t add_family(struct topic *out, const struct report *report, const char *name)
{
    const struct family *family = family_find(name);
    for (size_t i = 0; i < report->driver_count; ++i) {
        const struct results_row *any = report_key_row(report, report->drivers[i].label, name);
        if (any == NULL)
            continue;
        *out = (struct topic){family->measures[0].title ? family->measures[0].title : family->title,
                              family_label(any, true), name, say_family};
        return 1;
    }
    return 0;
}

/* Those of which there is anything to say of somebody. */
static size_t topics_of(const struct report *report, struct topic out[TOPICS])
{
    bool peak = false, idle = false;
    size_t count = 0;
    for (size_t i = 0; i < report->driver_count; ++i) {
        peak = peak || report_peak(report, report->drivers[i].label);
        idle = idle || report_idle(report, report->drivers[i].label).count > 0;
    }
    if (report_has(report, "conformance"))
        out[count++] = (struct topic){"Conformance", {""}, NULL, say_verdict};
    for (size_t i = 0; i < sizeof timed / sizeof timed[0]; ++i)
        count += add_family(&out[count], report, timed[i]);
    if (peak)
        out[count++] = (struct topic){"Most bytes a second", {"of all sizes"}, NULL, say_peak};
    count += add_family(&out[count], report, "cost");
    if (idle)
        out[count++] = (struct topic){"CPU while nothing is sent", {"of a core"}, NULL, say_idle};
    return count;
}

static void topic_head(struct page *page, const struct topic *topic)
{
    page_text(page, topic->title);
    if (*topic->what.text) {
        page_text(page, " ");
        page_element(page, "span", "range", topic->what.text);
    }
}

/* The roles say what the elements are anyway: see conformance.c. */
static void head_begin(struct page *page, bool of_column)
{
    page_open(page, "th", "scope", of_column ? "col" : "row", "role", of_column ? "columnheader" : "rowheader", NULL);
}

/* On a narrow screen the row is folded, and the head of the column out of sight. */
static void square(struct page *page, const struct report *report, size_t driver, const struct topic *topic,
                   bool turned)
{
    page_open(page, "td", "role", "cell", NULL);
    page_open(page, "span", "class", "who", "aria-hidden", "true", NULL);
    if (turned)
        page_text(page, topic->title);
    else
        part_driver(page, report, report->drivers[driver].label);
    page_close(page);
    topic->say(page, report, driver, topic);
    page_close(page);
}

static void driver_heads(struct page *page, const struct report *report)
{
    for (size_t i = 0; i < report->driver_count; ++i) {
        head_begin(page, true);
        part_driver(page, report, report->drivers[i].label);
        page_close(page);
    }
}

static void topic_heads(struct page *page, const struct topic *topics, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        head_begin(page, true);
        topic_head(page, &topics[i]);
        page_close(page);
    }
}

/* A line for each topic, or turned, for each implementation. */
static void lines(struct page *page, const struct report *report, const struct topic *topics, size_t count, bool turned)
{
    for (size_t i = 0; i < (turned ? report->driver_count : count); ++i) {
        page_open(page, "tr", "role", "row", NULL);
        head_begin(page, false);
        if (turned)
            part_driver(page, report, report->drivers[i].label);
        else
            topic_head(page, &topics[i]);
        page_close(page);
        for (size_t c = 0; c < (turned ? count : report->driver_count); ++c)
            square(page, report, turned ? i : c, &topics[turned ? c : i], turned);
        page_close(page);
    }
}

void part_headline(struct page *page, const struct report *report)
{
    struct topic topics[TOPICS];
    size_t count = topics_of(report, topics);
    bool turned = report_turned(report);
    part_begin(page, "headline", "At a glance");
    part_table_begin(
        page, turned ? "headline turned" : "headline",
        report->rows.count
            ? "Key figures; in brackets the 95 % interval of a ratio, or its range over fewer than six pairs"
            : "What conformance came to");
    page_open(page, "thead", "role", "rowgroup", NULL);
    page_open(page, "tr", "role", "row", NULL);
    head_begin(page, true);
    page_text(page, report->rows.count ? "Times: the median" : "Verdict");
    page_close(page);
    if (turned)
        topic_heads(page, topics, count);
    else
        driver_heads(page, report);
    page_close(page);
    page_close(page);
    page_open(page, "tbody", "role", "rowgroup", NULL);
    lines(page, report, topics, count, turned);
    page_close(page);
    part_table_end(page);
    page_close(page);
}
