#include "table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "progress.h"
#include "targets.h"

/* printf counts bytes; a reader counts columns. */
static int columns(const char *text)
{
    int count = 0;
    for (; *text != '\0'; ++text)
        count += (*text & 0xc0) != 0x80;
    return count;
}

static void print_right(const char *text, int width)
{
    printf("%*s%s", width > columns(text) ? width - columns(text) : 0, "", text);
}

static void print_ratio(const struct ratio *ratio, const char *unit, int width)
{
    char text[64];

    if (ratio->pairs == 0)
        snprintf(text, sizeof text, "–");
    else
        snprintf(text, sizeof text, "%.*f%s",
                 ratio->median < 9.995   ? 2
                 : ratio->median < 99.95 ? 1
                                         : 0,
                 ratio->median, unit);
    print_right(text, width);
}

static void print_row(const struct summary_row *row, int name_width)
{
    char median[32], low[32], high[32], spread[80], p99[32] = "", limit[32];

    printf("%-*s", name_width, row->row->row->name);
    if (row->row->error[0] != '\0') {
        printf("  ERROR %s\n", row->row->error);
        return;
    }
    if (row->row->not_applicable[0] != '\0') {
        printf("  not applicable: %s\n", row->row->not_applicable);
        return;
    }
    progress_figure(median, row->row->row, row->median);
    progress_figure(low, row->row->row, row->low);
    progress_figure(high, row->row->row, row->high);
    snprintf(spread, sizeof spread, "%s – %s", low, high);
    if (tally_lower_is_better(row->row->row))
        progress_figure(p99, row->row->row, row->p99);
    print_right(median, 14);
    print_right(spread, 28);
    print_right(p99, 10);
    snprintf(limit, sizeof limit, " × %s", row->limit_name == NULL ? "" : row->limit_name);
    print_ratio(&row->limit, limit, 16);
    print_ratio(&row->fifo, "", 9);
    print_ratio(&row->tcp, "", 9);
    printf("%7zu\n", row->figures);
}

void table_print(const struct summary_row *rows, size_t count)
{
    int width = 4;

    for (size_t i = 0; i < count; ++i)
        if ((int)strlen(rows[i].row->row->name) > width)
            width = (int)strlen(rows[i].row->row->name);
    printf("%-*s%14s%28s%10s%16s%9s%9s%7s\n", width, "row", "median", "over the blocks", "p99", "of its limit", "/fifo",
           "/tcp", "blocks");
    for (size_t i = 0; i < count; ++i)
        print_row(&rows[i], width);
    printf("p50 of one way (hot, latency) or of a whole trip (roundtrip); messages a second (throughput, fanout). p99: "
           "of all\n"
           "blocks' samples, where 100 lie beyond it. /fifo, /tcp: how many times better. Ratios: median over pairs of "
           "cells\n"
           "of one block and one placement of the CPUs; – where there is none.\n");
}

static void add_number(cJSON *object, const char *name, double value)
{
    if (isnan(value))
        cJSON_AddNullToObject(object, name);
    else
        cJSON_AddNumberToObject(object, name, value);
}

static void add_ratio(cJSON *object, const char *name, const struct ratio *ratio)
{
    cJSON *json = cJSON_AddObjectToObject(object, name);
    add_number(json, "median", ratio->median);
    add_number(json, "low", ratio->low);
    add_number(json, "high", ratio->high);
    cJSON_AddNumberToObject(json, "pairs", (double)ratio->pairs);
}

static cJSON *row_to_json(const struct summary_row *row)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "row", row->row->row->name);
    cJSON_AddStringToObject(json, "metric", row_metric(row->row->row));
    cJSON_AddNumberToObject(json, "figures", (double)row->figures);
    add_number(json, "median", row->median);
    add_number(json, "low", row->low);
    add_number(json, "high", row->high);
    add_number(json, "p99_ns", row->p99);
    add_number(json, "bytes_per_second", row->bytes_per_second);
    if (row->limit_name != NULL)
        cJSON_AddStringToObject(json, "limit", row->limit_name);
    add_ratio(json, "limit_ratio", &row->limit);
    add_ratio(json, "times_fifo", &row->fifo);
    add_ratio(json, "times_tcp", &row->tcp);
    cJSON_AddItemToObject(json, "error",
                          row->row->error[0] == '\0' ? cJSON_CreateNull() : cJSON_CreateString(row->row->error));
    return json;
}

void table_print_json(const struct summary_row *rows, size_t count, const char *doubts, const struct goal_result *goals)
{
    cJSON *json = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(json, "rows"), *targets;
    char *text;

    for (size_t i = 0; i < count; ++i)
        cJSON_AddItemToArray(list, row_to_json(&rows[i]));
    targets = goals == NULL ? NULL : cJSON_AddArrayToObject(json, "targets");
    for (size_t i = 0; targets != NULL && i < TARGETS; ++i)
        cJSON_AddItemToArray(targets, targets_record(&goals[i]));
    cJSON_AddBoolToObject(json, "fit_to_publish", doubts[0] == '\0');
    cJSON_AddStringToObject(json, "doubts", doubts);
    text = cJSON_Print(json);
    if (text != NULL)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(json);
}
