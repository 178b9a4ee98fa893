#include "svg.h"

#include "drawing.h"
#include "embedded.h"
#include "marks.h"

#include <stdio.h>
#include <string.h>

int drawing_letters(const char *text)
{
    int count = 0;
    for (; *text; ++text)
        count += (*text & 0xc0) != 0x80;
    return count;
}

void drawing_text(struct page *page, double x, double y, const char *class, const char *anchor, const char *words)
{
    char left[24], top[24];
    snprintf(left, sizeof left, "%.1f", x);
    snprintf(top, sizeof top, "%.1f", y);
    page_open(page, "text", "x", left, "y", top, "class", class, "text-anchor", anchor, NULL);
    page_text(page, words);
    page_close(page);
}

void drawing_segment(struct page *page, double x1, double y1, double x2, double y2, const char *class,
                     const char *dashes)
{
    char path[96];
    snprintf(path, sizeof path, "M%.1f,%.1fL%.1f,%.1f", x1, y1, x2, y2);
    page_open(page, "path", "d", path, "class", class, "stroke-dasharray", dashes, NULL);
    page_close(page);
}

void drawing_mark(struct page *page, double x, double y, int style, double size)
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

void drawing_frame(struct drawing *drawing, const struct chart *chart, double height)
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
    drawing_text(page, MARGIN, 28, "title", "start", chart->title);
}

int drawing_legend(struct page *page, char *const *names, const int *styles, size_t count)
{
    double x = MARGIN;
    int line = 0;
    for (size_t i = 0; i < count; ++i) {
        double width = 18 + 7.5 * drawing_letters(names[i]) + 18;
        if (x + width > WIDTH - MARGIN && x > MARGIN) {
            x = MARGIN;
            ++line;
        }
        if (page) {
            drawing_mark(page, x + 6, 48 + 20 * line, styles[i], 0.75);
            drawing_text(page, x + 18, 52 + 20 * line, NULL, "start", names[i]);
        }
        x += width;
    }
    return line + 1;
}

/* Labels that would run into each other are left out; the grid is drawn all the same. */
void drawing_x_axis(struct drawing *drawing, const struct chart *chart)
{
    struct page *page = &drawing->page;
    double free_from = 0;
    for (size_t i = 0; i < drawing->x.tick_count; ++i) {
        struct words words = axis_words(drawing->x.kind, drawing->x.ticks[i]);
        double place = axis_at(&drawing->x, drawing->x.ticks[i]), half = LETTER * drawing_letters(words.text) / 2.0;
        drawing_segment(page, place, drawing->top, place, drawing->bottom, "grid", NULL);
        if (place - half < free_from || place + half > WIDTH - 4)
            continue;
        drawing_text(page, place, drawing->bottom + 18, "soft", "middle", words.text);
        free_from = place + half + 6;
    }
    drawing_text(page, (drawing->left + drawing->right) / 2, drawing->bottom + 38, "soft", "middle", chart->x_label);
}

void drawing_y_axis(struct drawing *drawing, const struct chart *chart)
{
    struct page *page = &drawing->page;
    char turned[64];
    for (size_t i = 0; i < drawing->y.tick_count; ++i) {
        double place = axis_at(&drawing->y, drawing->y.ticks[i]);
        drawing_segment(page, drawing->left, place, drawing->right, place, "grid", NULL);
        drawing_text(page, drawing->left - 8, place + 4, "soft", "end",
                     axis_words(drawing->y.kind, drawing->y.ticks[i]).text);
    }
    snprintf(turned, sizeof turned, "translate(%d %.1f) rotate(-90)", MARGIN + 4, (drawing->top + drawing->bottom) / 2);
    page_open(page, "g", "transform", turned, NULL);
    drawing_text(page, 0, 0, "soft", "middle", chart->y_label);
    page_close(page);
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
