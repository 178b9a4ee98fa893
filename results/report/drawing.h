/* What the pictures of lines and of bars are drawn with. */
#ifndef REPORT_DRAWING_H
#define REPORT_DRAWING_H

#include "chart.h"
#include "page.h"

enum { WIDTH = 720, MARGIN = 16, LETTER = 7, TICKS = 32 };

/* A logarithmic axis between two places of the picture. */
struct axis {
    const char *kind;
    double low, high, from, to;
    double ticks[TICKS];
    size_t tick_count;
};

struct drawing {
    struct page page;
    struct axis x, y;
    double left, top, right, bottom; /* of the plot */
};

/* Where a value is on its axis. */
double axis_at(const struct axis *axis, double value);

/* So that the axis holds the value; what is not above 0 has no place on it. */
void axis_widen(struct axis *axis, double value);

/* The axis's ticks: decades, powers of two, or the places of a chart's points. */
void axis_decades(struct axis *axis);
void axis_powers(struct axis *axis);
void axis_places(struct axis *axis, const struct chart *chart);

/* As report.js labels its axes. */
struct words {
    char text[48];
};
struct words axis_words(const char *kind, double value);

int drawing_letters(const char *text);
void drawing_text(struct page *page, double x, double y, const char *class, const char *anchor, const char *words);
void drawing_segment(struct page *page, double x1, double y1, double x2, double y2, const char *class,
                     const char *dashes);
void drawing_mark(struct page *page, double x, double y, int style, double size);

/* The picture's ground and title; ended by page_close. */
void drawing_frame(struct drawing *drawing, const struct chart *chart, double height);

/* The names with their marks, in lines; without `page` only how many lines they take. */
int drawing_legend(struct page *page, char *const *names, const int *styles, size_t count);

void drawing_x_axis(struct drawing *drawing, const struct chart *chart);
void drawing_y_axis(struct drawing *drawing, const struct chart *chart);

void draw_lines(struct drawing *drawing, const struct chart *chart);
void draw_bars(struct drawing *drawing, const struct chart *chart);

#endif
