/* Services that draw one figure over many commits: a name, a value, and how sure it is. */
#include "export.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../analysis/compare.h"

static int print(FILE *out, cJSON *json)
{
    char *text = json ? cJSON_Print(json) : NULL;
    cJSON_Delete(json);
    if (text == NULL)
        return -ENOMEM;
    fprintf(out, "%s\n", text);
    cJSON_free(text);
    return 0;
}

static cJSON *github_entry(const struct results_row *row, const char *metric)
{
    struct results_spread spread = results_row_metric(row, metric);
    cJSON *json = cJSON_CreateObject();
    char text[128], *name = NULL; /* whole: cut anywhere it may not be UTF-8 */
    if (asprintf(&name, "%s %s", row->name, metric) < 0)
        name = NULL;
    cJSON_AddStringToObject(json, "name", name ? name : metric);
    free(name);
    cJSON_AddStringToObject(json, "unit", export_unit(metric).text);
    cJSON_AddNumberToObject(json, "value", spread.median);
    if (isfinite(spread.low) && isfinite(spread.high)) {
        snprintf(text, sizeof text, "%.4g to %.4g%s", spread.low, spread.high, spread.interval ? " (95 %)" : "");
        cJSON_AddStringToObject(json, "range", text);
    }
    snprintf(text, sizeof text, "%zu blocks", row->sample_count);
    cJSON_AddStringToObject(json, "extra", text);
    return json;
}

int export_github(FILE *out, const struct export *export, bool bigger)
{
    cJSON *json = cJSON_CreateArray();
    for (size_t i = 0; i < export->row_count; ++i) {
        const char *metrics[EXPORT_FIGURES];
        export_figures(export->rows[i], metrics);
        for (size_t m = 0; metrics[m]; ++m)
            if (results_more_is_better(metrics[m]) == bigger)
                cJSON_AddItemToArray(json, github_entry(export->rows[i], metrics[m]));
    }
    return print(out, json);
}

/* Bencher knows two measures by itself, in nanoseconds and in operations a second; it makes others by their names. */
static void measure_name(char *out, size_t size, const char *metric)
{
    snprintf(out, size, "%s",
             strcmp(metric, "p50_ns") == 0                ? "latency"
             : strcmp(metric, "messages_per_second") == 0 ? "throughput"
                                                          : metric);
    for (; *out; ++out)
        if (*out == '_')
            *out = '-';
}

static void add_measure(cJSON *measures, const struct results_row *row, const char *metric)
{
    struct results_spread spread = results_row_metric(row, metric);
    char name[64];
    cJSON *json;
    measure_name(name, sizeof name, metric);
    json = cJSON_AddObjectToObject(measures, name);
    cJSON_AddNumberToObject(json, "value", spread.median);
    if (isfinite(spread.low))
        cJSON_AddNumberToObject(json, "lower_value", spread.low);
    if (isfinite(spread.high))
        cJSON_AddNumberToObject(json, "upper_value", spread.high);
}

int export_bencher(FILE *out, const struct export *export)
{
    cJSON *json = cJSON_CreateObject();
    for (size_t i = 0; i < export->row_count; ++i) {
        const char *metrics[EXPORT_FIGURES];
        cJSON *measures;
        export_figures(export->rows[i], metrics);
        if (metrics[0] == NULL)
            continue;
        measures = cJSON_AddObjectToObject(json, export->rows[i]->name);
        for (size_t m = 0; metrics[m]; ++m)
            add_measure(measures, export->rows[i], metrics[m]);
    }
    return print(out, json);
}
