/* The parts of the HTML page, in its order. */
#ifndef REPORT_PARTS_H
#define REPORT_PARTS_H

#include "page.h"
#include "report.h"

void part_summary(struct page *page, const struct report *report);
void part_headline(struct page *page, const struct report *report);
void part_conformance(struct page *page, const struct report *report);
void part_latency(struct page *page, const struct report *report);
void part_throughput(struct page *page, const struct report *report);
void part_costs(struct page *page, const struct report *report);
void part_comparison(struct page *page, const struct report *report);
void part_targets(struct page *page, const struct report *report);
void part_rows(struct page *page, const struct report *report);
void part_environment(struct page *page, const struct report *report);

/* A section with its heading; ended by page_close. */
void part_begin(struct page *page, const char *id, const char *title);

/* A table in a box of its own that scrolls sideways, with a caption; the box is left by part_table_end. */
void part_table_begin(struct page *page, const char *class, const char *caption);
void part_table_end(struct page *page);

/* The heads of a table's columns. */
void part_heads(struct page *page, const char *const *heads, size_t count);

/* What is folded away until somebody opens it. */
void part_more_begin(struct page *page, const char *summary);
void part_more_end(struct page *page);

/* A driver's name with its mark, as charts show it. */
void part_driver(struct page *page, const struct report *report, const char *label);

/* A figure: a caption, a place for the chart, and the table that it is drawn from. The rows of the table carry the
 * data: see report.js, and svg.c, which draws the same. Ended by part_figure_end. */
struct figure {
    const char *title, *note;
    const char *kind;             /* "line" or "bars" */
    const char *x_kind, *x_label; /* kinds: percentile, size, count, ratio, share, duration, bandwidth, rate */
    const char *y_kind, *y_label;
    const char *missing; /* what is not drawn, and why; NULL or "": nothing */
    bool failed;         /* some of that because it failed */
};
void part_figure_begin(struct page *page, const struct figure *figure);
void part_figure_end(struct page *page);

/* Appends to `out` why a row has no figure, if it has none; whether it failed, and not only does not apply. */
bool part_missing(char *out, size_t size, const struct results_row *row);

/* A table row of a figure, with its head. Ended by page_close. */
struct series {
    const char *name;
    int style;                /* below 0: a limit */
    const char *points;       /* "x,y x,y …"; NULL: they are in the cells */
    const char *of, *variant; /* shown on demand only: to which series it belongs, and what it is; else NULL */
};
void part_series(struct page *page, const struct series *series);

/* A figure of bars, one a table row: a spread in a category. `value` is the head of the column. */
struct bar {
    const char *category, *label;
    struct results_spread spread;
    const char *metric; /* NULL: a ratio */
};
void part_bars_begin(struct page *page, const struct figure *figure, const char *value);
void part_bar(struct page *page, const struct report *report, const struct bar *bar);
void part_bars_end(struct page *page);

/* A figure of one metric of a family's rows, a line a driver. Nothing is drawn with fewer places along the axis than
 * `at_least`. */
struct lines {
    const char *family, *metric;
    enum {
        ALONG_SIZE,        /* of 1x1 rows */
        ALONG_SUBSCRIBERS, /* of one publisher and one size, as all below */
        ALONG_PUBLISHERS,
        ALONG_BOTH, /* as many of these as of those */
    } along;
    double size;     /* but for ALONG_SIZE */
    double rate;     /* of the rows; 0: any */
    size_t at_least; /* 0: 1 */
};
void part_lines(struct page *page, const struct report *report, const struct lines *lines, const struct figure *figure);

#endif
