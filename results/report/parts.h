/* The parts of the HTML page, in its order. */
#ifndef REPORT_PARTS_H
#define REPORT_PARTS_H

#include "page.h"
#include "report.h"

void part_summary(struct page *page, const struct report *report);
void part_conformance(struct page *page, const struct report *report);
void part_latency(struct page *page, const struct report *report);
void part_throughput(struct page *page, const struct report *report);
void part_comparison(struct page *page, const struct report *report);
void part_targets(struct page *page, const struct report *report);
void part_rows(struct page *page, const struct report *report);
void part_environment(struct page *page, const struct report *report);

/* A section with its heading; ended by page_close. */
void part_begin(struct page *page, const char *id, const char *title);

/* A table in a box of its own that scrolls sideways, with a caption; the box is left by part_table_end. */
void part_table_begin(struct page *page, const char *class, const char *caption);
void part_table_end(struct page *page);

/* A driver's name with its mark, as charts show it. */
void part_driver(struct page *page, const struct report *report, const char *driver);

/* A figure: a caption, a place for the chart, and the table that it is drawn from. The rows of the table carry the
 * data: see report.js. Ended by part_figure_end. */
struct figure {
    const char *id, *title, *note;
    const char *kind;             /* "line" or "ratio" */
    const char *x_kind, *x_label; /* kinds: percentile, size, count, ratio, duration, bandwidth, rate */
    const char *y_kind, *y_label;
    const char *missing; /* what is not drawn, and why; NULL or "": nothing */
};
void part_figure_begin(struct page *page, const struct figure *figure);
void part_figure_end(struct page *page);

/* A table row of a figure, with its head; style -1 is drawn as a limit. Ended by page_close. */
void part_series(struct page *page, int style, const char *name, const char *points);

/* A figure of one metric of a family's rows, a line a driver: over the size of 1x1 rows, or over the subscribers of
 * rows of one size. Nothing is drawn with fewer places along the axis than `at_least`. */
struct lines {
    const char *family, *metric;
    bool by_subscribers;
    double size;     /* if by_subscribers */
    double rate;     /* of the rows; 0: any */
    size_t at_least; /* 0: 1 */
};
void part_lines(struct page *page, const struct report *report, const struct lines *lines, const struct figure *figure);

#endif
