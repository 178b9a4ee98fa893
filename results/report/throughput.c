/* Throughput by size, and by the number of subscribers. */
#include "format.h"
#include "parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void by_size(struct page *page, const struct report *report)
{
    static const struct {
        struct lines lines;
        struct figure figure;
    } figures[] = {
        {{.family = "throughput", .metric = "messages_per_second"},
         {.title = "Messages a second by size",
          .kind = "line",
          .x_kind = "size",
          .x_label = "message size",
          .y_kind = "rate",
          .y_label = "messages a second",
          .note = "A saturated stream, one publisher and one subscriber, counted at the subscriber. Median over the "
                  "blocks."}},
        {{.family = "throughput", .metric = "bytes_per_second"},
         {.title = "Bytes a second by size",
          .kind = "line",
          .x_kind = "size",
          .x_label = "message size",
          .y_kind = "bandwidth",
          .y_label = "bytes a second",
          .note = "The same streams. No message can be faster than copying its bytes; the limits that were measured "
                  "are drawn beside them."}},
    };
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; ++i)
        part_lines(page, report, &figures[i].lines, &figures[i].figure);
}

static void by_subscribers(struct page *page, const struct report *report)
{
    double done = NAN;
    for (size_t i = 0; i < report->rows.count; ++i) {
        const struct results_row *row = &report->rows.rows[i];
        struct lines lines = {.family = "fanout",
                              .metric = "messages_per_second",
                              .by_subscribers = true,
                              .size = row->first->size,
                              .at_least = 2};
        char title[96];
        struct figure figure = {.title = title,
                                .kind = "line",
                                .x_kind = "count",
                                .x_label = "subscribers",
                                .y_kind = "rate",
                                .y_label = "messages a second, each",
                                .note =
                                    "One publisher, counted at the slowest subscriber: each of them receives as many."};
        if (strcmp(row->family, "fanout") != 0 || row->first->size == done)
            continue;
        done = row->first->size;
        snprintf(title, sizeof title, "Fan-out: %s to several subscribers", format_size(done).text);
        part_lines(page, report, &lines, &figure);
    }
}

void part_throughput(struct page *page, const struct report *report)
{
    part_begin(page, "throughput", "Throughput");
    page_open(page, "div", "class", "plates", NULL);
    by_size(page, report);
    by_subscribers(page, report);
    page_close(page);
    page_close(page);
}
