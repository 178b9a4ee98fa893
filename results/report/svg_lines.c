#include "drawing.h"
#include "marks.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEIGHT = 420 };

/* A line breaks where nothing was measured. */
static void curve(struct drawing *drawing, const struct chart_series *series)
{
    char *path = NULL, class[32];
    size_t size;
    FILE *stream = open_memstream(&path, &size);
    bool pen = false;
    if (stream == NULL) {
        drawing->page.error = -1;
        return;
    }
    for (size_t i = 0; i < series->count; ++i) {
        const struct chart_point *point = &series->points[i];
        if (isnan(point->y)) {
            pen = false;
            continue;
        }
        fprintf(stream, "%c%.1f,%.1f", pen ? 'L' : 'M', fmin(axis_at(&drawing->x, point->x), drawing->right),
                axis_at(&drawing->y, point->y));
        pen = true;
    }
    fclose(stream);
    snprintf(class, sizeof class, "curve %s", mark_class(series->style));
    page_open(&drawing->page, "path", "class", class, "d", path, "stroke-dasharray", mark_dashes(series->style), NULL);
    page_close(&drawing->page);
    free(path);
}

/* On a curve a mark now and then is enough. A limit has none, but where a single point of it stands alone. */
static void series_marks(struct drawing *drawing, const struct chart_series *series, bool dense)
{
    for (size_t i = 0; i < series->count; ++i) {
        bool alone =
            (i == 0 || isnan(series->points[i - 1].y)) && (i + 1 == series->count || isnan(series->points[i + 1].y));
        if (isnan(series->points[i].y) || (series->style < 0 && !alone))
            continue;
        if (dense && series->style >= 0 && i + 1 < series->count && i % 12 != 6)
            continue;
        drawing_mark(&drawing->page, axis_at(&drawing->x, series->points[i].x),
                     axis_at(&drawing->y, series->points[i].y), series->style, series->style < 0 ? 1.4 : 0.72);
    }
}

static void line_ranges(struct drawing *drawing, const struct chart *chart)
{
    bool percentiles = strcmp(chart->x_kind, "percentile") == 0;
    drawing->x = (struct axis){.kind = chart->x_kind, .low = percentiles ? 1 : INFINITY, .high = 0};
    drawing->y = (struct axis){.kind = chart->y_kind, .low = INFINITY, .high = 0};
    for (size_t s = 0; s < chart->series_count; ++s)
        for (size_t i = 0; i < chart->series[s].count; ++i) {
            const struct chart_point *point = &chart->series[s].points[i];
            axis_widen(&drawing->y, point->y);
            /* A limit's level has no end, and must not stretch the axis. */
            if (chart->series[s].style >= 0 || point->x < 1e9)
                axis_widen(&drawing->x, point->x);
        }
    drawing->x.low /= percentiles ? 1 : 1.25;
    drawing->x.high *= percentiles ? 1.1 : 1.25;
    drawing->y.low /= 1.3;
    drawing->y.high *= 1.3;
    axis_places(&drawing->x, chart);
    axis_decades(&drawing->y);
}

void draw_lines(struct drawing *drawing, const struct chart *chart)
{
    char **names = calloc(chart->series_count + 1, sizeof *names);
    int *styles = calloc(chart->series_count + 1, sizeof *styles);
    int lines;
    for (size_t i = 0; names && styles && i < chart->series_count; ++i) {
        names[i] = chart->series[i].name;
        styles[i] = chart->series[i].style;
    }
    lines = names && styles ? drawing_legend(NULL, names, styles, chart->series_count) : 1;
    line_ranges(drawing, chart);
    drawing->left = 92;
    drawing->right = WIDTH - 24;
    drawing->top = 56 + 20 * lines;
    drawing->bottom = HEIGHT + 20 * (lines - 1) - 56;
    drawing->x.from = drawing->left;
    drawing->x.to = drawing->right;
    drawing->y.from = drawing->bottom;
    drawing->y.to = drawing->top;
    drawing_frame(drawing, chart, HEIGHT + 20 * (lines - 1));
    if (names && styles)
        drawing_legend(&drawing->page, names, styles, chart->series_count);
    drawing_x_axis(drawing, chart);
    drawing_y_axis(drawing, chart);
    for (size_t i = 0; i < chart->series_count; ++i) {
        curve(drawing, &chart->series[i]);
        series_marks(drawing, &chart->series[i], strcmp(chart->x_kind, "percentile") == 0);
    }
    page_close(&drawing->page);
    free(names);
    free(styles);
}
