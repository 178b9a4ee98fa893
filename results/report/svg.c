#include "svg.h"

#include "embedded.h"
#include "marks.h"
#include "page.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 720, LINE_HEIGHT = 420, MARGIN = 16, LETTER = 7, TICKS = 32 };

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

static double at(const struct axis *axis, double value)
{
    return axis->from + (axis->to - axis->from) * log(value / axis->low) / log(axis->high / axis->low);
}

static int letters(const char *text)
{
    int count = 0;
    for (; *text; ++text)
        count += (*text & 0xc0) != 0x80;
    return count;
}

struct words {
    char text[48];
};

static struct words scaled(double value, double step, const char *const *units, size_t count)
{
    struct words out;
    size_t unit = 0;
    while (unit + 1 < count && fabs(value) >= step * 0.9995) {
        value /= step;
        ++unit;
    }
    snprintf(out.text, sizeof out.text, *units[unit] ? "%.4g %s" : "%.4g%s", value, units[unit]);
    return out;
}

/* As report.js labels its axes. */
static struct words value_words(const char *kind, double value)
{
    static const char *const times[] = {"ns", "µs", "ms", "s"}, *const sizes[] = {"B", "KiB", "MiB", "GiB"};
    static const char *const bandwidths[] = {"B/s", "kB/s", "MB/s", "GB/s", "TB/s"};
    static const char *const counts[] = {"", "k", "M", "G"}, *const rates[] = {"/s", "k/s", "M/s", "G/s"};
    struct words out;
    if (strcmp(kind, "duration") == 0)
        return scaled(value, 1000, times, 4);
    if (strcmp(kind, "seconds") == 0)
        return scaled(value * 1e9, 1000, times, 4);
    if (strcmp(kind, "size") == 0)
        return scaled(value, 1024, sizes, 4);
    if (strcmp(kind, "bandwidth") == 0)
        return scaled(value, 1000, bandwidths, 5);
    if (strcmp(kind, "rate") == 0)
        return scaled(value, 1000, rates, 4);
    if (strcmp(kind, "percentile") == 0)
        snprintf(out.text, sizeof out.text, "%.7g %%", 100 * (1 - 1 / value));
    else if (strcmp(kind, "share") == 0)
        snprintf(out.text, sizeof out.text, "%.3g %%", 100 * value);
    else if (strcmp(kind, "ratio") == 0)
        snprintf(out.text, sizeof out.text, "%.3g ×", value);
    else
        return scaled(value, 1000, counts, 4);
    return out;
}

static void add_tick(struct axis *axis, double value)
{
    if (axis->tick_count < TICKS && value >= axis->low * 0.999 && value <= axis->high * 1.001)
        axis->ticks[axis->tick_count++] = value;
}

/* Decades; 2 and 5 as well where there are few of them. */
static void decade_ticks(struct axis *axis)
{
    double decades = log10(axis->high / axis->low);
    for (double power = floor(log10(axis->low)); power <= log10(axis->high); ++power) {
        add_tick(axis, pow(10, power));
        if (decades < 3.2) {
            add_tick(axis, 2 * pow(10, power));
            add_tick(axis, 5 * pow(10, power));
        }
    }
}

/* Quarters between them where there are few. */
static void power_ticks(struct axis *axis)
{
    bool few = axis->high / axis->low < 6;
    for (double power = exp2(floor(log2(axis->low))); power <= axis->high; power *= 2)
        for (int quarter = 4; quarter < (few ? 8 : 5); ++quarter)
            add_tick(axis, power * quarter / 4);
}

/* Percentiles have fixed places, sizes and counts those of the data. */
static void x_ticks(struct axis *axis, const struct chart *chart)
{
    static const double rare[] = {2, 10, 1e2, 1e3, 1e4, 1e5, 1e6};
    if (strcmp(axis->kind, "percentile") == 0) {
        for (size_t i = 0; i < sizeof rare / sizeof rare[0]; ++i)
            add_tick(axis, rare[i]);
        return;
    }
    if (strcmp(axis->kind, "size") != 0 && strcmp(axis->kind, "count") != 0) {
        decade_ticks(axis);
        return;
    }
    for (size_t s = 0; s < chart->series_count; ++s)
        for (size_t i = 0; i < chart->series[s].count; ++i) {
            bool known = false;
            for (size_t t = 0; t < axis->tick_count; ++t)
                known = known || axis->ticks[t] == chart->series[s].points[i].x;
            if (!known)
                add_tick(axis, chart->series[s].points[i].x);
        }
}

static void widen(struct axis *axis, double value)
{
    if (!(value > 0))
        return;
    axis->low = fmin(axis->low, value);
    axis->high = fmax(axis->high, value);
}

static void text(struct page *page, double x, double y, const char *class, const char *anchor, const char *words)
{
    char left[24], top[24];
    snprintf(left, sizeof left, "%.1f", x);
    snprintf(top, sizeof top, "%.1f", y);
    page_open(page, "text", "x", left, "y", top, "class", class, "text-anchor", anchor, NULL);
    page_text(page, words);
    page_close(page);
}

static void segment(struct page *page, double x1, double y1, double x2, double y2, const char *class,
                    const char *dashes)
{
    char path[96];
    snprintf(path, sizeof path, "M%.1f,%.1fL%.1f,%.1f", x1, y1, x2, y2);
    page_open(page, "path", "d", path, "class", class, "stroke-dasharray", dashes, NULL);
    page_close(page);
}

static void mark(struct page *page, double x, double y, int style, double size)
{
    char class[32], place[64];
    snprintf(class, sizeof class, "mark %s", mark_class(style));
    snprintf(place, sizeof place, "translate(%.1f %.1f) scale(%.2f)", x, y, size);
    page_open(page, "path", "class", class, "d", mark_path(style), "transform", place, NULL);
    page_close(page);
}

static void style(struct page *page)
{
    static const char rules[] =
        "text { font: 12px system-ui, -apple-system, \"Segoe UI\", Roboto, \"Noto Sans\", sans-serif; fill: "
        "var(--ink); }\n"
        ".title { font-size: 15px; font-weight: 600; } .soft { fill: var(--soft); }\n"
        ".ground { fill: var(--card); stroke: var(--line); } .grid { stroke: var(--line); fill: none; }\n"
        ".curve { stroke: var(--own); stroke-width: 2.2; fill: none; stroke-linejoin: round; }\n"
        ".curve.limit { stroke-width: 1.5; }\n"
        ".mark { fill: var(--own); fill-rule: evenodd; } .bar { stroke: var(--own); fill: var(--own); fill-opacity: "
        "0.35; }\n"
        ".one { stroke: var(--limit); fill: none; }\n";
    page_open(page, "style", NULL);
    page_raw(page, (const char *)embedded_palette, embedded_palette_size);
    page_raw(page, rules, sizeof rules - 1);
    page_close(page);
}

static void frame(struct drawing *drawing, const struct chart *chart, double height)
{
    struct page *page = &drawing->page;
    char box[48], tall[24];
    snprintf(box, sizeof box, "0 0 %d %.0f", WIDTH, height);
    snprintf(tall, sizeof tall, "%.0f", height);
    page_open(page, "svg", "xmlns", "http://www.w3.org/2000/svg", "viewBox", box, "width", "720", "height", tall,
              "role", "img", "aria-label", chart->title, NULL);
    style(page);
    snprintf(tall, sizeof tall, "%.1f", height - 1);
    page_open(page, "rect", "class", "ground", "x", "0.5", "y", "0.5", "width", "719", "height", tall, "rx", "10",
              NULL);
    page_close(page);
    text(page, MARGIN, 28, "title", "start", chart->title);
}

/* The names with their marks, in lines; without `page` only how many lines they take. */
static int legend(struct page *page, char *const *names, const int *styles, size_t count)
{
    double x = MARGIN;
    int line = 0;
    for (size_t i = 0; i < count; ++i) {
        double width = 18 + 6.5 * letters(names[i]) + 18;
        if (x + width > WIDTH - MARGIN && x > MARGIN) {
            x = MARGIN;
            ++line;
        }
        if (page) {
            mark(page, x + 6, 48 + 20 * line, styles[i], 0.75);
            text(page, x + 18, 52 + 20 * line, NULL, "start", names[i]);
        }
        x += width;
    }
    return line + 1;
}

/* Labels that would run into each other are left out; the grid is drawn all the same. */
static void x_axis(struct drawing *drawing, const struct chart *chart)
{
    struct page *page = &drawing->page;
    double free_from = 0;
    for (size_t i = 0; i < drawing->x.tick_count; ++i) {
        struct words words = value_words(drawing->x.kind, drawing->x.ticks[i]);
        double place = at(&drawing->x, drawing->x.ticks[i]), half = LETTER * letters(words.text) / 2.0;
        segment(page, place, drawing->top, place, drawing->bottom, "grid", NULL);
        if (place - half < free_from || place + half > WIDTH - 4)
            continue;
        text(page, place, drawing->bottom + 18, "soft", "middle", words.text);
        free_from = place + half + 6;
    }
    text(page, (drawing->left + drawing->right) / 2, drawing->bottom + 38, "soft", "middle", chart->x_label);
}

static void y_axis(struct drawing *drawing, const struct chart *chart)
{
    struct page *page = &drawing->page;
    char turned[64];
    for (size_t i = 0; i < drawing->y.tick_count; ++i) {
        double place = at(&drawing->y, drawing->y.ticks[i]);
        segment(page, drawing->left, place, drawing->right, place, "grid", NULL);
        text(page, drawing->left - 8, place + 4, "soft", "end", value_words(drawing->y.kind, drawing->y.ticks[i]).text);
    }
    snprintf(turned, sizeof turned, "translate(%d %.1f) rotate(-90)", MARGIN + 4, (drawing->top + drawing->bottom) / 2);
    page_open(page, "g", "transform", turned, NULL);
    text(page, 0, 0, "soft", "middle", chart->y_label);
    page_close(page);
}

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
        fprintf(stream, "%c%.1f,%.1f", pen ? 'L' : 'M', fmin(at(&drawing->x, point->x), drawing->right),
                at(&drawing->y, point->y));
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
        mark(&drawing->page, at(&drawing->x, series->points[i].x), at(&drawing->y, series->points[i].y), series->style,
             series->style < 0 ? 1.4 : 0.72);
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
            widen(&drawing->y, point->y);
            /* A limit's level has no end, and must not stretch the axis. */
            if (chart->series[s].style >= 0 || point->x < 1e9)
                widen(&drawing->x, point->x);
        }
    drawing->x.low /= percentiles ? 1 : 1.25;
    drawing->x.high *= percentiles ? 1.1 : 1.25;
    drawing->y.low /= 1.3;
    drawing->y.high *= 1.3;
    x_ticks(&drawing->x, chart);
    decade_ticks(&drawing->y);
}

static void draw_lines(struct drawing *drawing, const struct chart *chart)
{
    char **names = calloc(chart->series_count + 1, sizeof *names);
    int *styles = calloc(chart->series_count + 1, sizeof *styles);
    int lines;
    for (size_t i = 0; names && styles && i < chart->series_count; ++i) {
        names[i] = chart->series[i].name;
        styles[i] = chart->series[i].style;
    }
    lines = names && styles ? legend(NULL, names, styles, chart->series_count) : 1;
    line_ranges(drawing, chart);
    drawing->left = 92;
    drawing->right = WIDTH - 24;
    drawing->top = 56 + 20 * lines;
    drawing->bottom = LINE_HEIGHT + 20 * (lines - 1) - 56;
    drawing->x.from = drawing->left;
    drawing->x.to = drawing->right;
    drawing->y.from = drawing->bottom;
    drawing->y.to = drawing->top;
    frame(drawing, chart, LINE_HEIGHT + 20 * (lines - 1));
    if (names && styles)
        legend(&drawing->page, names, styles, chart->series_count);
    x_axis(drawing, chart);
    y_axis(drawing, chart);
    for (size_t i = 0; i < chart->series_count; ++i) {
        curve(drawing, &chart->series[i]);
        series_marks(drawing, &chart->series[i], strcmp(chart->x_kind, "percentile") == 0);
    }
    page_close(&drawing->page);
    free(names);
    free(styles);
}

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
    double from = at(&drawing->x, fmin(bar->low, bar->middle)), to = at(&drawing->x, fmax(bar->high, bar->middle));
    snprintf(class, sizeof class, "bar %s", mark_class(bar->style));
    snprintf(x, sizeof x, "%.1f", from);
    snprintf(top, sizeof top, "%.1f", y - 3);
    snprintf(width, sizeof width, "%.1f", fmax(to - from, 1));
    page_open(&drawing->page, "rect", "class", class, "x", x, "y", top, "width", width, "height", "6", NULL);
    page_close(&drawing->page);
    mark(&drawing->page, at(&drawing->x, bar->middle), y, bar->style, 0.72);
}

static void bar_ranges(struct drawing *drawing, const struct chart *chart)
{
    bool ratio = strcmp(chart->x_kind, "ratio") == 0;
    drawing->x = (struct axis){.kind = chart->x_kind, .low = ratio ? 0.9 : INFINITY, .high = ratio ? 1.1 : 0};
    for (size_t i = 0; i < chart->bar_count; ++i) {
        widen(&drawing->x, chart->bars[i].low);
        widen(&drawing->x, chart->bars[i].middle);
        widen(&drawing->x, chart->bars[i].high);
    }
    drawing->x.low /= 1.15;
    drawing->x.high *= 1.15;
    if (strcmp(chart->x_kind, "size") == 0)
        power_ticks(&drawing->x);
    else
        decade_ticks(&drawing->x);
}

static void draw_bars(struct drawing *drawing, const struct chart *chart)
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
    lines = legend(NULL, names, styles, name_count);
    step = 10 + 12.0 * (double)name_count;
    bar_ranges(drawing, chart);
    drawing->left = 60;
    for (size_t i = 0; i < category_count; ++i)
        drawing->left = fmax(drawing->left, 24 + LETTER * letters(categories[i]));
    drawing->left = fmin(drawing->left, WIDTH / 2.0);
    drawing->right = WIDTH - 24;
    drawing->top = 56 + 20 * lines;
    drawing->bottom = drawing->top + step * (double)category_count;
    height = drawing->bottom + 56;
    drawing->x.from = drawing->left;
    drawing->x.to = drawing->right;
    frame(drawing, chart, height);
    legend(&drawing->page, names, styles, name_count);
    x_axis(drawing, chart);
    if (strcmp(chart->x_kind, "ratio") == 0)
        segment(&drawing->page, at(&drawing->x, 1), drawing->top, at(&drawing->x, 1), drawing->bottom, "one", "6 5");
    for (size_t c = 0; c < category_count; ++c) {
        double top = drawing->top + step * (double)c;
        segment(&drawing->page, drawing->left, top, drawing->right, top, "grid", NULL);
        text(&drawing->page, drawing->left - 8, top + step / 2 + 4, NULL, "end", categories[c]);
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

char *svg_draw(const struct chart *chart)
{
    struct drawing drawing = {.left = 0};
    if (page_begin(&drawing.page))
        return NULL;
    if (chart->bar_count)
        draw_bars(&drawing, chart);
    else
        draw_lines(&drawing, chart);
    return page_finish(&drawing.page);
}
