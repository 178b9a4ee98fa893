/* The HTML document around the parts. */
#include "embedded.h"
#include "parts.h"
#include "targets.h"

#include <stdio.h>
#include <string.h>

static void head(struct page *page, const struct report *report)
{
    page_open(page, "head", NULL);
    page_void(page, "meta", "charset", "utf-8", NULL);
    page_void(page, "meta", "name", "viewport", "content", "width=device-width, initial-scale=1", NULL);
    page_void(page, "meta", "name", "color-scheme", "content", "light dark", NULL);
    page_void(page, "meta", "name", "generator", "content", "ipcmark " IPCMARK_VERSION, NULL);
    page_element(page, "title", NULL, report->title);
    page_open(page, "style", NULL);
    page_raw(page, (const char *)embedded_palette, embedded_palette_size);
    page_raw(page, (const char *)embedded_css, embedded_css_size);
    page_close(page);
    page_close(page);
}

/* Whether there is anything for the charts: a run of targets alone has rows, but none of these. */
static bool has_families(const struct report *report)
{
    for (size_t i = 0; i < report->rows.count; ++i)
        if (strncmp(report->rows.rows[i].family, "target-", 7) != 0)
            return true;
    return report_has(report, "bench") && !targets_any(report);
}

static bool has_family(const struct report *report, const char *name)
{
    for (size_t i = 0; i < report->rows.count; ++i)
        if (strcmp(report->rows.rows[i].family, name) == 0)
            return true;
    return false;
}

/* What a part is made from: runs of a kind, rows of families, or the targets of any run. */
static bool has_part(const struct report *report, const char *kind)
{
    if (strcmp(kind, "families") == 0)
        return has_families(report);
    if (strcmp(kind, "costs") == 0)
        return has_family(report, "cost") || has_family(report, "lifecycle");
    return strcmp(kind, "targets") == 0 ? targets_any(report) : report_has(report, kind);
}

static void navigation(struct page *page, const struct report *report)
{
    static const struct {
        const char *anchor, *title, *kind;
    } entries[] = {{"#headline", "At a glance", NULL},        {"#conformance", "Conformance", "conformance"},
                   {"#comparison", "Comparison", "families"}, {"#latency", "Latency", "families"},
                   {"#throughput", "Throughput", "families"}, {"#costs", "Cost", "costs"},
                   {"#targets", "Targets", "targets"},        {"#rows", "Every row", "bench"},
                   {"#environment", "Environment", NULL}};
    page_open(page, "nav", "aria-label", "Contents", NULL);
    page_open(page, "ul", NULL);
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; ++i) {
        if (entries[i].kind && !has_part(report, entries[i].kind))
            continue;
        page_open(page, "li", NULL);
        page_open(page, "a", "href", entries[i].anchor, NULL);
        page_text(page, entries[i].title);
        page_close(page);
        page_close(page);
    }
    page_close(page);
    page_close(page);
}

static void script(struct page *page, const unsigned char *text, size_t size)
{
    page_open(page, "script", NULL);
    page_raw(page, (const char *)text, size);
    page_close(page);
}

static void foot(struct page *page, const struct report *report)
{
    page_open(page, "footer", NULL);
    page_open(page, "p", NULL);
    page_text(page, "Written by ipcmark " IPCMARK_VERSION ".");
    if (report_has(report, "bench"))
        page_text(page, " Charts are drawn with Chart.js, whose licence follows.");
    page_close(page);
    if (report_has(report, "bench")) {
        page_open(page, "details", "class", "licence", NULL);
        page_element(page, "summary", NULL, "Licence of Chart.js");
        page_open(page, "pre", NULL);
        page_textf(page, "%.*s", (int)embedded_licence_size, (const char *)embedded_licence);
        page_close(page);
        page_close(page);
    }
    page_close(page);
}

char *report_html(const struct report *report)
{
    static const char doctype[] = "<!DOCTYPE html>\n";
    struct page page;
    if (page_begin(&page))
        return NULL;
    page_raw(&page, doctype, sizeof doctype - 1);
    page_open(&page, "html", "lang", "en", NULL);
    head(&page, report);
    page_open(&page, "body", NULL);
    page_open(&page, "main", NULL);
    part_summary(&page, report);
    navigation(&page, report);
    part_headline(&page, report);
    if (report_has(report, "conformance"))
        part_conformance(&page, report);
    if (has_part(report, "families")) {
        part_comparison(&page, report);
        part_latency(&page, report);
        part_throughput(&page, report);
    }
    if (has_part(report, "costs"))
        part_costs(&page, report);
    if (has_part(report, "targets"))
        part_targets(&page, report);
    if (report_has(report, "bench"))
        part_rows(&page, report);
    part_environment(&page, report);
    page_close(&page);
    foot(&page, report);
    if (report_has(report, "bench")) {
        script(&page, embedded_chart, embedded_chart_size);
        script(&page, embedded_js, embedded_js_size);
    }
    page_close(&page);
    page_close(&page);
    return page_finish(&page);
}
