#include "parts.h"

#include <stdio.h>

void part_begin(struct page *page, const char *id, const char *title)
{
    char heading[64];
    snprintf(heading, sizeof heading, "%s-title", id);
    page_open(page, "section", "id", id, "aria-labelledby", heading, NULL);
    page_open(page, "h2", "id", heading, NULL);
    page_text(page, title);
    page_close(page);
}

void part_table_begin(struct page *page, const char *class, const char *caption)
{
    page_open(page, "div", "class", "scroll", "tabindex", "0", "role", "region", "aria-label", caption, NULL);
    page_open(page, "table", "class", class, "role", "table", NULL);
    page_element(page, "caption", NULL, caption);
}

void part_table_end(struct page *page)
{
    page_close(page);
    page_close(page);
}

static void key(struct page *page, int style)
{
    char class[32];
    snprintf(class, sizeof class, style < 0 ? "key limit" : "key k%d", style % 8);
    page_open(page, "span", "class", class, "aria-hidden", "true", NULL);
    page_close(page);
}

void part_driver(struct page *page, const struct report *report, const char *driver)
{
    page_open(page, "span", "class", "driver", NULL);
    key(page, report_style(report, driver));
    page_text(page, driver);
    page_close(page);
}

void part_figure_begin(struct page *page, const struct figure *figure)
{
    page_open(page, "figure", "id", figure->id, "data-kind", figure->kind, "data-x-kind", figure->x_kind,
              "data-x-label", figure->x_label, "data-y-kind", figure->y_kind, "data-y-label", figure->y_label, NULL);
    page_open(page, "figcaption", NULL);
    page_element(page, "h3", NULL, figure->title);
    page_element(page, "p", NULL, figure->note);
    page_close(page);
    page_open(page, "div", "class", "plot", NULL);
    page_close(page);
    if (figure->missing && *figure->missing)
        page_element(page, "p", "missing words", figure->missing);
    /* Open without JavaScript; the script closes it once the chart is drawn. */
    page_open(page, "details", "class", "data", "open", "", NULL);
    page_element(page, "summary", NULL, "The figures as a table");
    part_table_begin(page, "figures", figure->title);
}

void part_figure_end(struct page *page)
{
    part_table_end(page);
    page_close(page);
    page_close(page);
}

void part_series(struct page *page, int style, const char *name, const char *points)
{
    char number[16];
    snprintf(number, sizeof number, "%d", style);
    page_open(page, "tr", "data-series", name, "data-style", number, "data-points", points, NULL);
    page_open(page, "th", "scope", "row", NULL);
    page_open(page, "span", "class", "driver", NULL);
    key(page, style);
    page_text(page, name);
    page_close(page);
    page_close(page);
}
