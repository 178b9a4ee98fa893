/* The top of the page: what was run, and what came out, in words. */
#include "parts.h"

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

void part_summary(struct page *page, const struct report *report)
{
    page_open(page, "header", NULL);
    page_element(page, "h1", NULL, report->title);
    subtitle(page, report);
    conformance_notice(page, report);
    fitness_notice(page, report);
    cut_short_notice(page, report);
    page_close(page);
}
