/* Throughput by size, and by the number of publishers and subscribers. */
#include "families.h"
#include "format.h"
#include "parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void by_size(struct page *page, const struct report *report, const struct family *family)
{
    char title[96];
    struct figure figure = {.title = title,
                            .note = family->note,
                            .kind = "line",
                            .x_kind = "size",
                            .x_label = "message size",
                            .y_kind = "rate",
                            .y_label = "messages a second"};
    struct lines lines = {.family = family->name, .metric = "messages_per_second", .at_least = 2};
    bool sweep = strcmp(family->name, "size") == 0;
    snprintf(title, sizeof title, "Messages a second by size%s", sweep ? ", smallest to largest" : "");
    part_lines(page, report, &lines, &figure);
    lines.metric = "bytes_per_second";
    figure.y_kind = "bandwidth";
    figure.y_label = "bytes a second";
    figure.note = "The same streams. A limit is drawn at the sizes at which it was measured, and nowhere between.";
    snprintf(title, sizeof title, "Bytes a second by size%s", sweep ? ", smallest to largest" : "");
    part_lines(page, report, &lines, &figure);
}

/* What the suite itself does for a message is part of every figure here. */
static void own_cost(struct page *page, const struct report *report)
{
    double done = NAN;
    bool any = false;
    for (size_t i = 0; i < report->rows.count; ++i) {
        const struct results_row *row = report->order[i];
        const struct results_limit *share = &report_figures(report, row)->share;
        double rate = NAN;
        if (strcmp(row->family, "throughput") == 0 && share->row && row->first->size != done)
            rate = results_row_metric(share->row, "messages_per_second").median;
        if (!(rate > 0))
            continue;
        if (!any) {
            page_open(page, "p", "class", "lead", NULL);
            page_text(page,
                      "The suite's own work is part of each figure. To fill, check and count a message takes, both "
                      "sides together and with no transport at all: ");
        }
        page_textf(page, "%s%s of %s", any ? ", " : "", format_duration(1e9 / rate).text,
                   format_size(row->first->size).text);
        any = true;
        done = row->first->size;
    }
    if (any) {
        page_text(page, ".");
        page_close(page);
    }
}

/* One figure for each size that the family was measured with. */
static void by_number(struct page *page, const struct report *report, const char *name, const char *x_label,
                      const char *y_label, struct lines lines)
{
    const struct family *family = family_find(name);
    double done = NAN;
    for (size_t i = 0; i < report->rows.count; ++i) {
        const struct results_row *row = &report->rows.rows[i];
        char title[96];
        struct figure figure = {.title = title,
                                .kind = "line",
                                .x_kind = "count",
                                .x_label = x_label,
                                .y_kind = "rate",
                                .y_label = y_label,
                                .note = family->note};
        if (strcmp(row->family, name) != 0 || row->first->size == done)
            continue;
        lines.family = name;
        lines.metric = "messages_per_second";
        lines.at_least = 2;
        lines.size = done = row->first->size;
        snprintf(title, sizeof title, "%s, messages of %s", family->title, format_size(done).text);
        part_lines(page, report, &lines, &figure);
    }
}

void part_throughput(struct page *page, const struct report *report)
{
    part_begin(page, "throughput", "Throughput");
    page_element(
        page, "p", "lead",
        "As fast as publish returns. The built-in drivers of pipes and TCP hand over each message at once, with a "
        "system call of its own; gathering several into one would be faster here, and slower everywhere else. "
        "Medians over the blocks.");
    own_cost(page, report);
    page_open(page, "div", "class", "plates", NULL);
    by_size(page, report, family_find("throughput"));
    by_size(page, report, family_find("size"));
    by_number(page, report, "fanout", "subscribers", "messages a second, each",
              (struct lines){.along = ALONG_SUBSCRIBERS});
    by_number(page, report, "fanin", "publishers", "messages a second, all", (struct lines){.along = ALONG_PUBLISHERS});
    by_number(page, report, "mesh", "publishers, and as many subscribers", "messages a second, each",
              (struct lines){.along = ALONG_BOTH});
    page_close(page);
    page_close(page);
}
