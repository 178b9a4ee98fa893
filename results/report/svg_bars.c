#include "drawing.h"
#include "marks.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names of categories, or of implementations, each once, in order of appearance. */
static size_t distinct(const struct chart *chart, bool categories, char **out, int *styles)
{
    size_t count = 0;
    for (size_t i = 0; i < chart->bar_count; ++i) {
        char *name = categories ? chart->bars[i].category : chart->bars[i].name;
        bool known = false;
        for (size_t k = 0; k < count; ++k)
            known = known || strcmp(out[k], name) == 0;
        if (known)
            continue;
        if (styles)
            styles[count] = chart->bars[i].style;
        out[count++] = name;
    }
    return count;
}

static void bar(struct drawing *drawing, const struct chart_bar *bar, double y)
{
    char class[32], x[24], top[24], width[24];
    double from = axis_at(&drawing->x, fmin(bar->low, bar->middle)),
           to = axis_at(&drawing->x, fmax(bar->high, bar->middle));
    snprintf(class, sizeof class, "bar %s", mark_class(bar->style));
    snprintf(x, sizeof x, "%.1f", from);
    snprintf(top, sizeof top, "%.1f", y - 3);
    snprintf(width, sizeof width, "%.1f", fmax(to - from, 1));
    page_open(&drawing->page, "rect", "class", class, "x", x, "y", top, "width", width, "height", "6", NULL);
    page_close(&drawing->page);
    drawing_mark(&drawing->page, axis_at(&drawing->x, bar->middle), y, bar->style, 0.72);
}

static void bar_ranges(struct drawing *drawing, const struct chart *chart)
{
    bool ratio = strcmp(chart->x_kind, "ratio") == 0;
    drawing->x = (struct axis){.kind = chart->x_kind, .low = ratio ? 0.9 : INFINITY, .high = ratio ? 1.1 : 0};
    for (size_t i = 0; i < chart->bar_count; ++i) {
        axis_widen(&drawing->x, chart->bars[i].low);
        axis_widen(&drawing->x, chart->bars[i].middle);
        axis_widen(&drawing->x, chart->bars[i].high);
    }
    drawing->x.low /= 1.15;
    drawing->x.high *= 1.15;
    if (strcmp(chart->x_kind, "size") == 0)
        axis_powers(&drawing->x);
    else
        axis_decades(&drawing->x);
}

void draw_bars(struct drawing *drawing, const struct chart *chart)
{
    char **categories = calloc(chart->bar_count, sizeof *categories), **names = calloc(chart->bar_count, sizeof *names);
    int *styles = calloc(chart->bar_count, sizeof *styles), lines;
    size_t category_count, name_count;
    double step, height;
    if (categories == NULL || names == NULL || styles == NULL) {
        drawing->page.error = -1;
        goto out;
    }
    category_count = distinct(chart, true, categories, NULL);
    name_count = distinct(chart, false, names, styles);
    lines = drawing_legend(NULL, names, styles, name_count);
    step = 10 + 12.0 * (double)name_count;
    bar_ranges(drawing, chart);
    drawing->left = 60;
    for (size_t i = 0; i < category_count; ++i)
        drawing->left = fmax(drawing->left, 24 + LETTER * drawing_letters(categories[i]));
    drawing->left = fmin(drawing->left, WIDTH / 2.0);
    drawing->right = WIDTH - 24;
    drawing->top = 56 + 20 * lines;
    drawing->bottom = drawing->top + step * (double)category_count;
    height = drawing->bottom + 56;
    drawing->x.from = drawing->left;
    drawing->x.to = drawing->right;
    drawing_frame(drawing, chart, height);
    drawing_legend(&drawing->page, names, styles, name_count);
    drawing_x_axis(drawing, chart);
    if (strcmp(chart->x_kind, "ratio") == 0)
        drawing_segment(&drawing->page, axis_at(&drawing->x, 1), drawing->top, axis_at(&drawing->x, 1), drawing->bottom,
                        "one", "6 5");
    for (size_t c = 0; c < category_count; ++c) {
        double top = drawing->top + step * (double)c;
        drawing_segment(&drawing->page, drawing->left, top, drawing->right, top, "grid", NULL);
        drawing_text(&drawing->page, drawing->left - 8, top + step / 2 + 4, NULL, "end", categories[c]);
        for (size_t i = 0; i < chart->bar_count; ++i)
            for (size_t n = 0; n < name_count; ++n)
                if (strcmp(chart->bars[i].category, categories[c]) == 0 && strcmp(chart->bars[i].name, names[n]) == 0)
                    bar(drawing, &chart->bars[i], top + 11 + 12.0 * (double)n);
    }
    page_close(&drawing->page);
out:
    free(categories);
    free(names);
    free(styles);
}
