#include "chart.h"

#include <errno.h>
#include <libxml/HTMLparser.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Owned by the caller; "" of an attribute that is not there, NULL if memory ran out. */
static char *attribute(const xmlNode *node, const char *name)
{
    xmlChar *value = xmlGetProp(node, BAD_CAST name);
    char *copy = strdup(value ? (const char *)value : "");
    xmlFree(value);
    return copy;
}

static bool has(const xmlNode *node, const char *name)
{
    return xmlHasProp(node, BAD_CAST name) != NULL;
}

static double number(const xmlNode *node, const char *name)
{
    xmlChar *value = xmlGetProp(node, BAD_CAST name);
    double out = value ? strtod((const char *)value, NULL) : NAN;
    xmlFree(value);
    return out;
}

/* The next node of that name below `top`, in the order of the text; NULL after the last. */
static xmlNode *next(const xmlNode *top, const xmlNode *node, const char *name)
{
    do {
        if (node->children) {
            node = node->children;
        } else {
            while (node != top && node->next == NULL)
                node = node->parent;
            if (node == top)
                return NULL;
            node = node->next;
        }
    } while (node->type != XML_ELEMENT_NODE || xmlStrcmp(node->name, BAD_CAST name) != 0);
    return (xmlNode *)(size_t)node;
}

static int add_point(struct chart_series *series, double x, double y)
{
    struct chart_point *grown = reallocarray(series->points, series->count + 1, sizeof *grown);
    if (grown == NULL)
        return -ENOMEM;
    series->points = grown;
    grown[series->count++] = (struct chart_point){x, y};
    return 0;
}

/* "x,y x,y …", or one point a cell. */
static int read_points(struct chart_series *series, const xmlNode *row)
{
    char *curve = attribute(row, "data-points");
    int error = curve ? 0 : -ENOMEM;
    for (char *at = curve, *end; error == 0 && *at; at = end + strspn(end, " ")) {
        double x = strtod(at, &end), y = NAN;
        if (*end == ',')
            y = strtod(end + 1, &end);
        if (end == at)
            break;
        error = add_point(series, x, y);
    }
    for (const xmlNode *cell = next(row, row, "td"); cell && error == 0; cell = next(row, cell, "td"))
        if (has(cell, "data-x"))
            error = add_point(series, number(cell, "data-x"), number(cell, "data-y"));
    free(curve);
    return error;
}

static int read_series(struct chart *chart, const xmlNode *row)
{
    struct chart_series series = {.name = attribute(row, "data-series"), .style = (int)number(row, "data-style")};
    struct chart_series *grown = reallocarray(chart->series, chart->series_count + 1, sizeof *grown);
    int error = grown && series.name ? read_points(&series, row) : -ENOMEM;
    size_t measured = 0;
    if (grown)
        chart->series = grown;
    for (size_t i = 0; i < series.count; ++i)
        measured += isnan(series.points[i].y) ? 0 : 1;
    if (error || measured == 0) {
        free(series.name);
        free(series.points);
        return error;
    }
    grown[chart->series_count++] = series;
    return 0;
}

static int read_bar(struct chart *chart, const xmlNode *row)
{
    struct chart_bar *grown = reallocarray(chart->bars, chart->bar_count + 1, sizeof *grown);
    if (grown == NULL)
        return -ENOMEM;
    chart->bars = grown;
    grown[chart->bar_count++] = (struct chart_bar){.name = attribute(row, "data-series"),
                                                   .category = attribute(row, "data-category"),
                                                   .style = (int)number(row, "data-style"),
                                                   .low = number(row, "data-low"),
                                                   .middle = number(row, "data-mid"),
                                                   .high = number(row, "data-high")};
    return grown[chart->bar_count - 1].name && grown[chart->bar_count - 1].category ? 0 : -ENOMEM;
}

static void chart_free(struct chart *chart)
{
    char *const texts[] = {chart->id,     chart->section, chart->title,  chart->kind,
                           chart->x_kind, chart->x_label, chart->y_kind, chart->y_label};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; ++i)
        free(texts[i]);
    for (size_t i = 0; i < chart->series_count; ++i) {
        free(chart->series[i].name);
        free(chart->series[i].points);
    }
    for (size_t i = 0; i < chart->bar_count; ++i) {
        free(chart->bars[i].name);
        free(chart->bars[i].category);
    }
    free(chart->series);
    free(chart->bars);
    *chart = (struct chart){0};
}

static char *title_of(const xmlNode *figure)
{
    const xmlNode *heading = next(figure, figure, "h3");
    xmlChar *text = heading ? xmlNodeGetContent(heading) : NULL;
    char *copy = strdup(text ? (const char *)text : "");
    xmlFree(text);
    return copy;
}

static int read_chart(struct chart *out, const xmlNode *figure)
{
    const xmlNode *section = figure->parent;
    struct chart chart = {0};
    int error = 0;
    while (section && xmlStrcmp(section->name, BAD_CAST "section") != 0)
        section = section->parent;
    chart.id = attribute(figure, "id");
    chart.section = section ? attribute(section, "id") : strdup("");
    chart.title = title_of(figure);
    chart.kind = attribute(figure, "data-kind");
    chart.x_kind = attribute(figure, "data-x-kind");
    chart.x_label = attribute(figure, "data-x-label");
    chart.y_kind = attribute(figure, "data-y-kind");
    chart.y_label = attribute(figure, "data-y-label");
    if (!chart.id || !chart.section || !chart.title || !chart.kind || !chart.x_kind || !chart.x_label ||
        !chart.y_kind || !chart.y_label)
        error = -ENOMEM;
    for (const xmlNode *row = next(figure, figure, "tr"); row && error == 0; row = next(figure, row, "tr")) {
        if (!has(row, "data-series") || has(row, "data-variant"))
            continue;
        if (has(row, "data-category"))
            error = has(row, "data-mid") ? read_bar(&chart, row) : 0;
        else
            error = read_series(&chart, row);
    }
    if (error)
        chart_free(&chart);
    *out = chart;
    return error;
}

int charts_read(struct chart **out, size_t *count, const char *page)
{
    htmlDocPtr html = htmlReadMemory(page, (int)strlen(page), NULL, "utf-8",
                                     HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
    const xmlNode *root = html ? xmlDocGetRootElement(html) : NULL;
    struct chart *charts = NULL;
    size_t found = 0;
    int error = html ? 0 : -ENOMEM;
    for (const xmlNode *node = root ? next(root, root, "figure") : NULL; node && error == 0;
         node = next(root, node, "figure")) {
        struct chart *grown = reallocarray(charts, found + 1, sizeof *grown);
        error = grown ? 0 : -ENOMEM;
        charts = grown ? grown : charts;
        if (error == 0)
            error = read_chart(&charts[found], node);
        if (error == 0 && charts[found].series_count + charts[found].bar_count > 0)
            ++found;
        else if (error == 0)
            chart_free(&charts[found]);
    }
    xmlFreeDoc(html);
    if (error) {
        charts_free(charts, found);
        return error;
    }
    *out = charts;
    *count = found;
    return 0;
}

void charts_free(struct chart *charts, size_t count)
{
    for (size_t i = 0; i < count; ++i)
        chart_free(&charts[i]);
    free(charts);
}
