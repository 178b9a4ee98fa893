/* Prints the targets, and makes records of them. */
#include "targets.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "progress.h"

enum { COLUMNS = 6 };

struct line {
    char cells[COLUMNS][160];
};

/* printf counts bytes; a reader counts columns. */
static int columns(const char *text)
{
    int count = 0;
    for (; *text != '\0'; ++text)
        count += (*text & 0xc0) != 0x80;
    return count;
}

/* "bare-ring 38.1 M msg/s": without what the row has in common with ours. */
static void describe_rival(char *text, size_t size, const struct goal_result *result)
{
    char figure[32], who[64] = "";
    const char *metric = strcmp(result->rival, "line") == 0 ? "p50_ns" : result->goal->metric;

    if (strncmp(result->rival, "target-fanout", 13) == 0)
        snprintf(who, sizeof who, "1 subscriber");
    else if (sscanf(result->rival, "target-%*[^/]/%63[^/]", who) != 1)
        snprintf(who, sizeof who, "%s", result->rival);
    progress_metric(figure, metric, result->rival_value);
    snprintf(text, size, "%s %s", who, figure);
}

static void describe_ratio(char *text, size_t size, const struct goal_result *result)
{
    const struct ratio *ratio = &result->ratio;

    if (isnan(ratio->median))
        snprintf(text, size, "–");
    else if (isnan(ratio->low) || isnan(ratio->high))
        snprintf(text, size, "%.2f (%zu pairs)", ratio->median, ratio->pairs);
    else
        snprintf(text, size, "%.2f (%.2f – %.2f, %zu pairs)", ratio->median, ratio->low, ratio->high, ratio->pairs);
}

/* Of an absolute bound it is the value that has an interval. */
static void describe_value(char *text, size_t size, const struct goal_result *result)
{
    char value[32], low[32], high[32];

    progress_metric(value, result->goal->metric, result->value);
    progress_metric(low, result->goal->metric, result->ratio.low);
    progress_metric(high, result->goal->metric, result->ratio.high);
    if (result->goal->rivals[0] != NULL || isnan(result->ratio.low))
        snprintf(text, size, "%s", value);
    else
        snprintf(text, size, "%s (%s – %s)", value, low, high);
}

static struct line describe(const struct goal_result *result)
{
    const struct goal *goal = result->goal;
    struct line line = {{"", "", "–", "–", "", ""}};
    char bound[32];

    snprintf(line.cells[0], sizeof line.cells[0], "%s", goal->name);
    describe_value(line.cells[1], sizeof line.cells[1], result);
    if (result->rival != NULL)
        describe_rival(line.cells[2], sizeof line.cells[2], result);
    if (goal->rivals[0] != NULL) {
        describe_ratio(line.cells[3], sizeof line.cells[3], result);
        snprintf(bound, sizeof bound, "%g ×", goal->bound);
    } else {
        progress_metric(bound, goal->metric, goal->bound);
    }
    snprintf(line.cells[4], sizeof line.cells[4], "%s %s", goal->at_most ? "≤" : "≥", bound);
    snprintf(line.cells[5], sizeof line.cells[5], "%s%s%s", targets_verdict(result),
             result->unknown == NULL ? "" : ": ", result->unknown == NULL ? "" : result->unknown);
    return line;
}

void targets_print(FILE *out, const struct goal_result results[TARGETS])
{
    struct line lines[TARGETS + 1] = {
        {{"target", "measured", "limit or rival", "ratio (95 % interval)", "to reach", "verdict"}}};
    int widths[COLUMNS] = {0};

    for (size_t i = 0; i < TARGETS; ++i)
        lines[i + 1] = describe(&results[i]);
    for (size_t i = 0; i <= TARGETS; ++i)
        for (size_t column = 0; column < COLUMNS; ++column)
            if (columns(lines[i].cells[column]) > widths[column])
                widths[column] = columns(lines[i].cells[column]);
    fputc('\n', out);
    for (size_t i = 0; i <= TARGETS; ++i) {
        for (size_t column = 0; column + 1 < COLUMNS; ++column)
            fprintf(out, "%s%*s  ", lines[i].cells[column], widths[column] - columns(lines[i].cells[column]), "");
        fprintf(out, "%s\n", lines[i].cells[COLUMNS - 1]);
    }
    fprintf(out,
            "Ratios: median over pairs of cells of one block, and of one placement of the CPUs where that matters. Of "
            "two rivals\nthe one that is harder to reach. p99 of attach and death: of all blocks' samples. See "
            "METHOD.md.\n");
}

static void add_number(cJSON *record, const char *name, double value)
{
    if (isnan(value))
        cJSON_AddNullToObject(record, name);
    else
        cJSON_AddNumberToObject(record, name, value);
}

static void add_text(cJSON *record, const char *name, const char *text)
{
    if (text == NULL)
        cJSON_AddNullToObject(record, name);
    else
        cJSON_AddStringToObject(record, name, text);
}

cJSON *targets_record(const struct goal_result *result)
{
    const struct goal *goal = result->goal;
    cJSON *record = cJSON_CreateObject();

    cJSON_AddStringToObject(record, "record", "target");
    cJSON_AddStringToObject(record, "target", goal->name);
    cJSON_AddStringToObject(record, "row", goal->row);
    cJSON_AddStringToObject(record, "metric", goal->metric);
    add_number(record, "value", result->value);
    add_text(record, "rival", result->rival);
    add_number(record, "rival_value", result->rival_value);
    cJSON_AddStringToObject(record, "judged", goal->rivals[0] == NULL ? "value" : "ratio");
    add_number(record, "median", result->ratio.median);
    add_number(record, "low", result->ratio.low);
    add_number(record, "high", result->ratio.high);
    cJSON_AddNumberToObject(record, "count", (double)result->ratio.pairs);
    cJSON_AddStringToObject(record, "bound_kind", goal->at_most ? "at_most" : "at_least");
    cJSON_AddNumberToObject(record, "bound", goal->bound);
    cJSON_AddStringToObject(record, "verdict", targets_verdict(result));
    add_text(record, "why", result->unknown);
    return record;
}
