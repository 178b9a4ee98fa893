/* The top of the page: what was run, what came out in words, and the figures that matter most. */
#include "families.h"
#include "format.h"
#include "parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void subtitle(struct page *page, const struct report *report)
{
    for (size_t i = 0; i < report->run_count; ++i) {
        struct sentence where = report_where_else(report, i);
        if (*where.text)
            page_element(page, "p", "subtitle", where.text);
    }
}

static void notice(struct page *page, const char *class, const char *mark, const char *text, const char *anchor,
                   const char *link)
{
    page_open(page, "p", "class", class, NULL);
    page_open(page, "span", "class", "mark", "aria-hidden", "true", NULL);
    page_text(page, mark);
    page_close(page);
    page_open(page, "span", NULL);
    page_text(page, text);
    page_text(page, " ");
    page_open(page, "a", "href", anchor, NULL);
    page_text(page, link);
    page_close(page);
    page_close(page);
    page_close(page);
}

/* The worst verdict of the whole report decides the colour of the sentence. */
static void conformance_notice(struct page *page, const struct report *report)
{
    size_t broken = 0, unknown = 0;
    char text[160];
    if (!report_has(report, "conformance"))
        return;
    for (size_t d = 0; d < report->matrix.driver_count; ++d) {
        broken += results_matrix_count(&report->matrix, d, RESULTS_FAIL) +
                  results_matrix_count(&report->matrix, d, RESULTS_ERROR) +
                  results_matrix_count(&report->matrix, d, RESULTS_XPASS);
        unknown += results_matrix_count(&report->matrix, d, RESULTS_UNKNOWN);
    }
    if (broken + unknown == 0 && report_cut_short(report, "conformance")) {
        notice(page, "notice unsure", "?", "No promise was seen broken, but the conformance run was cut short.",
               "#conformance", "What was tested");
        return;
    }
    if (broken + unknown == 0) {
        snprintf(text, sizeof text, "Every clause that was tried and applies holds, for %s: %zu clause%s%s.",
                 report->matrix.driver_count == 1 ? "the implementation tested" : "every implementation tested",
                 report->matrix.clause_count, report->matrix.clause_count == 1 ? "" : "s", report_effort(report));
        notice(page, "notice good", "✓", text, "#conformance", "All clauses");
        return;
    }
    snprintf(text, sizeof text, "%zu promise%s broken, %zu verdict%s unknown, over %zu implementation%s.", broken,
             broken == 1 ? " is" : "s are", unknown, unknown == 1 ? " is" : "s are", report->matrix.driver_count,
             report->matrix.driver_count == 1 ? "" : "s");
    notice(page, broken ? "notice bad" : "notice unsure", broken ? "✗" : "?", text, "#conformance", "Which, and why");
}

static void first_reason(void *context, const char *text)
{
    char *out = context;
    if (*out == '\0')
        snprintf(out, 320, "%s", text);
}

static void fitness_notice(struct page *page, const struct report *report)
{
    char why[320] = "", text[400];
    size_t against;
    if (!report_has(report, "bench"))
        return;
    against = results_fitness(report->runs, report->run_count, &report->rows, first_reason, why);
    if (against == 0) {
        notice(page, "notice good", "✓", "The figures are fit to publish.", "#environment", "Environment");
        return;
    }
    snprintf(text, sizeof text, "The figures show relations on this machine, but are not fit to publish. %s", why);
    notice(page, "notice unsure", "!", text, "#fitness", against == 1 ? "More" : "All reasons");
}

static void cut_short_notice(struct page *page, const struct report *report)
{
    for (size_t i = 0; i < report->run_count; ++i) {
        const struct results_run *run = &report->runs[i];
        char text[200];
        if (!results_run_cut_short(run))
            continue;
        snprintf(text, sizeof text, "The %s run was cut short; records: %.80s.", results_header(run, "kind"),
                 report_progress(run).text);
        notice(page, "notice unsure", "!", text, "#environment", "Environment");
    }
}

static void figure(struct page *page, const char *label, const char *value, const char *detail)
{
    page_open(page, "div", NULL);
    page_element(page, "dt", NULL, label);
    page_open(page, "dd", NULL);
    page_element(page, "b", NULL, value);
    if (detail && *detail) {
        page_text(page, " ");
        page_element(page, "span", "range", detail);
    }
    page_close(page);
    page_close(page);
}

static void no_figure(struct page *page, const char *label, const struct results_row *row)
{
    if (row->not_applicable)
        figure(page, label, "does not apply", row->not_applicable);
    else
        figure(page, label, "no figure", row->error);
}

static void latency_figure(struct page *page, const struct report *report, const struct results_row *row)
{
    const struct family *family = family_find(row->family);
    const struct row_figures *figures = report_figures(report, row);
    char label[256], detail[200] = "";
    size_t used = 0;
    snprintf(label, sizeof label, "%s, %s", family->title, family_label(row, true).text);
    if (!results_row_figure(row)) {
        no_figure(page, label, row);
        return;
    }
    if (isnan(figures->value.median))
        return;
    if (!isnan(figures->tail))
        used = (size_t)snprintf(detail, sizeof detail, "99 %%: %s", format_duration(figures->tail).text);
    if (figures->limit.distance.spread.count)
        snprintf(detail + used, sizeof detail - used, "%s%s %s", used ? " · " : "",
                 format_ratio(figures->limit.distance.spread.median).text, figures->limit.name);
    figure(page, label, format_duration(figures->value.median).text, detail);
}

static void throughput_figures(struct page *page, const struct report *report, const char *label)
{
    const struct results_row *row = report_key_row(report, label, "throughput");
    const struct results_row *peak = report_peak(report, label);
    char name[128], detail[128] = "";
    if (row) {
        const struct results_limit *limit = &report_figures(report, row)->limit;
        snprintf(name, sizeof name, "Messages of %s", format_size(row->first->size).text);
        if (limit->distance.spread.count)
            snprintf(detail, sizeof detail, "%s slower than %s", format_ratio(limit->distance.spread.median).text,
                     limit->name);
        if (results_row_figure(row))
            figure(page, name, format_metric("messages_per_second", report_figures(report, row)->value.median).text,
                   detail);
        else
            no_figure(page, name, row);
    }
    if (peak) {
        snprintf(name, sizeof name, "Most bytes, in messages of %s", format_size(peak->first->size).text);
        figure(page, name, format_bandwidth(results_row_metric(peak, "bytes_per_second").median).text, NULL);
    }
}

/* Beside the times what they cost: a reader that spins is disclosed here. */
static void cost_figure(struct page *page, const struct report *report, const char *label)
{
    for (size_t i = 0; i < report->rows.count; ++i) {
        const struct results_row *row = &report->rows.rows[i];
        struct results_spread idle;
        if (strcmp(row->family, "cost") != 0 || strcmp(row->label, label) != 0 || !results_row_figure(row))
            continue;
        idle = results_row_metric(row, "idle_cpu_share");
        if (idle.count == 0)
            continue;
        figure(page, "CPU while nothing is sent", format_metric("idle_cpu_share", idle.median).text, "of a core");
        return;
    }
}

static void card_verdict(struct page *page, const struct report *report, size_t driver)
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

static void card(struct page *page, const struct report *report, const struct report_driver *driver)
{
    static const char *const latencies[] = {"latency", "hot", "wakeup"};
    int index = report_index(report, driver);
    page_open(page, "li", "class", "card", NULL);
    page_open(page, "h2", NULL);
    part_driver(page, report, driver->label);
    page_close(page);
    if (index >= 0)
        card_verdict(page, report, (size_t)index);
    page_open(page, "dl", NULL);
    for (size_t i = 0; i < sizeof latencies / sizeof latencies[0]; ++i) {
        const struct results_row *row = report_key_row(report, driver->label, latencies[i]);
        if (row)
            latency_figure(page, report, row);
    }
    throughput_figures(page, report, driver->label);
    cost_figure(page, report, driver->label);
    page_close(page);
    page_close(page);
}

void part_summary(struct page *page, const struct report *report)
{
    page_open(page, "header", NULL);
    page_element(page, "h1", NULL, report->title);
    subtitle(page, report);
    conformance_notice(page, report);
    fitness_notice(page, report);
    cut_short_notice(page, report);
    page_close(page);
    page_open(page, "ul", "class", "cards", "aria-label", "Key figures of each implementation", NULL);
    for (size_t i = 0; i < report->driver_count; ++i)
        card(page, report, &report->drivers[i]);
    page_close(page);
}
