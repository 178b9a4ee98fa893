/* What a pair costs besides time, and how it comes and goes: figures of several measures, one chart a unit. */
#include "families.h"
#include "format.h"
#include "parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *kind, *title, *axis;
} units[] = {{"seconds", "CPU time", "CPU time of a million messages"},
             {"share", "CPU when idle", "share of a core"},
             {"duration", "times", "mean time"},
             {"rate", "rates", "a second"},
             {"count", "calls, switches, descriptors", "number, of a message or of a pair"},
             {"size", "memory of a pair", "memory"}};
enum { UNITS = sizeof units / sizeof units[0] };

/* "Close, 64 B": a measure of a row of one to one goes without the numbers. */
static void name_category(char *out, size_t size, const struct measure *measure, const struct results_row *row)
{
    struct family_label label = family_label(row, true);
    snprintf(out, size, "%s%s%s", measure->title, strchr(label.text, '/') ? "" : ", ",
             strchr(label.text, '/') ? "" : label.text);
}

/* Shape by shape, so that implementations stand beside each other. Returns how many bars there are; page NULL counts.
 */
static size_t bars(struct page *page, const struct report *report, const struct family *family, const char *kind)
{
    size_t count = 0;
    for (const struct measure *measure = family->measures; measure->metric; ++measure) {
        if (strcmp(format_kind(measure->metric), kind) != 0)
            continue;
        for (size_t i = 0; i < report->rows.count; ++i) {
            const struct results_row *row = report->order[i];
            struct bar bar = {.label = row->label, .metric = measure->metric};
            char category[192];
            if (strcmp(row->family, family->name) != 0 || !results_row_figure(row))
                continue;
            bar.spread = results_row_metric(row, measure->metric);
            if (bar.spread.count == 0)
                continue;
            ++count;
            name_category(category, sizeof category, measure, row);
            bar.category = category;
            if (page)
                part_bar(page, report, &bar);
        }
    }
    return count;
}

/* Appends what was measured as 0: a logarithmic axis has no place for it. */
static void add_zeros(char *out, size_t size, const struct report *report, const struct family *family,
                      const char *kind)
{
    bool any = false;
    for (const struct measure *measure = family->measures; measure->metric; ++measure)
        for (size_t i = 0; i < report->rows.count && strcmp(format_kind(measure->metric), kind) == 0; ++i) {
            const struct results_row *row = report->order[i];
            struct results_spread spread = {0, NAN, NAN, NAN, false};
            size_t used = strlen(out);
            if (strcmp(row->family, family->name) == 0 && results_row_figure(row))
                spread = results_row_metric(row, measure->metric);
            if (spread.count == 0 || spread.median > 0)
                continue;
            snprintf(out + used, size - used, "%s%s (%s)",
                     any    ? ", "
                     : *out ? " Not drawn, since it is 0: "
                            : "Not drawn, since it is 0: ",
                     row->label, measure->title);
            any = true;
        }
    if (any)
        snprintf(out + strlen(out), size - strlen(out), ".");
}

static void family_figures(struct page *page, const struct report *report, const struct family *family)
{
    char why[700] = "";
    bool first = true, failed = false;
    for (size_t i = 0; i < report->rows.count; ++i)
        if (strcmp(report->order[i]->family, family->name) == 0)
            failed |= part_missing(why, sizeof why, report->order[i]);
    for (size_t i = 0; i < UNITS; ++i) {
        char title[96];
        struct figure figure = {.title = title,
                                .note = first ? family->note : "",
                                .kind = "bars",
                                .x_kind = units[i].kind,
                                .x_label = units[i].axis,
                                .missing = why,
                                .failed = failed};
        if (bars(NULL, report, family, units[i].kind) == 0)
            continue;
        snprintf(title, sizeof title, "%s: %s", family->title, units[i].title);
        add_zeros(why, sizeof why, report, family, units[i].kind);
        part_bars_begin(page, &figure, "Median");
        bars(page, report, family, units[i].kind);
        part_bars_end(page);
        *why = '\0'; /* once is enough */
        first = false;
    }
    if (*why)
        page_element(page, "p", failed ? "missing bad words" : "missing words", why);
}

void part_costs(struct page *page, const struct report *report)
{
    part_begin(page, "costs", "Cost, coming and going");
    page_open(page, "div", "class", "plates wide", NULL);
    family_figures(page, report, family_find("cost"));
    family_figures(page, report, family_find("lifecycle"));
    page_close(page);
    page_close(page);
}
