/* The charts of a page, read from its tables as report.js reads them: what is drawn elsewhere is drawn from the same.
 */
#ifndef REPORT_CHART_H
#define REPORT_CHART_H

#include <stddef.h>

struct chart_point {
    double x, y; /* y NAN: not measured there, and nothing may be drawn across */
};

struct chart_series {
    char *name;
    int style; /* as of marks.h */
    struct chart_point *points;
    size_t count;
};

struct chart_bar {
    char *name, *category;
    int style;
    double low, middle, high;
};

struct chart {
    char *id, *section, *title, *kind, *x_kind, *x_label, *y_kind, *y_label; /* never NULL */
    struct chart_series *series;
    size_t series_count;
    struct chart_bar *bars;
    size_t bar_count;
};

/* Those that have something to draw, in the order of the page; what is shown on demand only is left out. 0 or -ENOMEM.
 */
int charts_read(struct chart **out, size_t *count, const char *page);
void charts_free(struct chart *charts, size_t count);

#endif
