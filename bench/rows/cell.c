#include "cell.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../command/statistics.h"
#include "../limits/line.h"
#include "../limits/purpose.h"

void cell_init(struct cell *cell, const struct row *row, unsigned block)
{
    *cell = (struct cell){.row = row,
                          .block = block,
                          .line_before_ns = -1,
                          .line_after_ns = -1,
                          .steal_ns = -1,
                          .context_switches = -1,
                          .metrics = cJSON_CreateObject()};
}

void cell_release(struct cell *cell)
{
    cJSON_Delete(cell->metrics);
    cJSON_Delete(cell->histogram);
    cJSON_Delete(cell->histogram_uncorrected);
    cJSON_Delete(cell->histograms);
    cJSON_Delete(cell->unmeasured);
    cell->metrics = cell->histogram = cell->histogram_uncorrected = cell->histograms = cell->unmeasured = NULL;
}

int cell_fail(struct cell *cell, const char *format, ...)
{
    va_list arguments;

    if (cell->error[0] != '\0')
        return -1;
    va_start(arguments, format);
    vsnprintf(cell->error, sizeof cell->error, format, arguments);
    va_end(arguments);
    return -1;
}

int cell_wrong(struct cell *cell, const char *format, ...)
{
    va_list arguments;

    if (cell->error[0] != '\0')
        return -1;
    va_start(arguments, format);
    vsnprintf(cell->error, sizeof cell->error, format, arguments);
    va_end(arguments);
    cell->wrong = true;
    return -1;
}

int cell_not_applicable(struct cell *cell, const char *format, ...)
{
    va_list arguments;

    if (cell->error[0] != '\0' || cell->not_applicable[0] != '\0')
        return -1;
    va_start(arguments, format);
    vsnprintf(cell->not_applicable, sizeof cell->not_applicable, format, arguments);
    va_end(arguments);
    return -1;
}

void cell_metric(struct cell *cell, const char *name, double value)
{
    cJSON_AddNumberToObject(cell->metrics, name, value);
}

void cell_unmeasured(struct cell *cell, const char *name, const char *format, ...)
{
    char why[300];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    if (cell->unmeasured == NULL)
        cell->unmeasured = cJSON_CreateObject();
    cJSON_AddStringToObject(cell->unmeasured, name, why);
    cJSON_AddNullToObject(cell->metrics, name);
}

/* Bucket by bucket, so that the histogram in the file is of what the row is about. */
static cJSON *divide(const struct ipcmark_histogram *whole, unsigned ways)
{
    struct ipcmark_histogram *part;
    cJSON *json = NULL;

    if (ipcmark_histogram_new(&part) < 0)
        return NULL;
    for (size_t bucket = 0; bucket < IPCMARK_HISTOGRAM_BUCKETS; ++bucket)
        if (whole->counts[bucket] != 0) {
            size_t to = ipcmark_histogram_bucket((ipcmark_histogram_value(bucket) + ways - 1) / ways);
            part->counts[to] += whole->counts[bucket];
            part->total += whole->counts[bucket];
        }
    json = ipcmark_histogram_to_json(part);
    ipcmark_histogram_free(part);
    return json;
}

static void add_metric(struct cell *cell, const char *prefix, const char *name, double value)
{
    char full_name[64];

    snprintf(full_name, sizeof full_name, "%s%s", prefix, name);
    cell_metric(cell, full_name, value);
}

static void add_percentiles(struct cell *cell, const char *prefix, const struct ipcmark_histogram *histogram)
{
    static const struct {
        const char *name;
        double percent;
    } percentiles[] = {{"p50_ns", 50}, {"p90_ns", 90}, {"p99_ns", 99}, {"p999_ns", 99.9}, {"p9999_ns", 99.99}};

    add_metric(cell, prefix, "samples", (double)histogram->total);
    for (size_t i = 0; i < sizeof percentiles / sizeof percentiles[0]; ++i)
        if (statistics_percentile_holds(percentiles[i].percent, histogram->total))
            add_metric(cell, prefix, percentiles[i].name,
                       (double)ipcmark_histogram_percentile(histogram, percentiles[i].percent));
    add_metric(cell, prefix, "max_ns", (double)ipcmark_histogram_maximum(histogram));
}

static int take_histogram(struct cell *cell, cJSON *json, unsigned ways, bool may_be_few)
{
    struct ipcmark_histogram *histogram = NULL;
    int result = -1;

    if (ipcmark_histogram_new(&histogram) < 0) {
        cell_fail(cell, "out of memory");
        goto out;
    }
    if (json == NULL || ipcmark_histogram_add_json(histogram, json) < 0 || histogram->total == 0) {
        cell_fail(cell, "the participants reported no samples");
        goto out;
    }
    if (!may_be_few && !statistics_percentile_holds(50, histogram->total)) {
        cell_fail(cell, "%llu samples are too few for a median", (unsigned long long)histogram->total);
        goto out;
    }
    if (ways > 1) {
        cJSON *divided = divide(histogram, ways);
        cJSON_Delete(json);
        json = divided;
        ipcmark_histogram_clear(histogram);
        if (json == NULL || ipcmark_histogram_add_json(histogram, json) < 0) {
            cell_fail(cell, "out of memory");
            goto out;
        }
    }
    add_percentiles(cell, "", histogram);
    cell->headline_ns = (double)ipcmark_histogram_percentile(histogram, 50);
    cell->histogram = json;
    json = NULL;
    result = 0;
out:
    cJSON_Delete(json);
    ipcmark_histogram_free(histogram);
    return result;
}

int cell_histogram(struct cell *cell, cJSON *json, unsigned ways)
{
    return take_histogram(cell, json, ways, false);
}

int cell_few_times(struct cell *cell, cJSON *json)
{
    return take_histogram(cell, json, 1, true);
}

static double mean_of(const struct ipcmark_histogram *histogram)
{
    double sum = 0;

    for (size_t bucket = 0; bucket < IPCMARK_HISTOGRAM_BUCKETS; ++bucket)
        sum += (double)histogram->counts[bucket] * (double)ipcmark_histogram_value(bucket);
    return sum / (double)histogram->total;
}

void cell_more_times(struct cell *cell, const char *name, const cJSON *json)
{
    struct ipcmark_histogram *histogram = NULL;
    char prefix[32];

    if (ipcmark_histogram_new(&histogram) < 0 || json == NULL || ipcmark_histogram_add_json(histogram, json) < 0 ||
        histogram->total == 0) {
        cell_fail(cell, "there are no times of \"%s\"", name);
        goto out;
    }
    if (cell->histograms == NULL)
        cell->histograms = cJSON_CreateObject();
    cJSON_AddItemToObject(cell->histograms, name, cJSON_Duplicate(json, true));
    snprintf(prefix, sizeof prefix, "%s_", name);
    add_metric(cell, prefix, "ns", mean_of(histogram));
    add_percentiles(cell, prefix, histogram);
out:
    ipcmark_histogram_free(histogram);
}

static void add_known(cJSON *record, const char *name, double value, bool known)
{
    if (known)
        cJSON_AddNumberToObject(record, name, value);
    else
        cJSON_AddNullToObject(record, name);
}

static void add_text(cJSON *record, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0')
        cJSON_AddStringToObject(record, name, text);
    else
        cJSON_AddNullToObject(record, name);
}

static void add_copy(cJSON *record, const char *name, const cJSON *json)
{
    cJSON_AddItemToObject(record, name, json == NULL ? cJSON_CreateNull() : cJSON_Duplicate(json, true));
}

static void add_row(cJSON *record, const struct row *row)
{
    cJSON_AddStringToObject(record, "row", row->name);
    cJSON_AddStringToObject(record, "family", row_family_name(row->family));
    cJSON_AddStringToObject(record, "driver", row->driver);
    add_known(record, "size", (double)row->size, row->size > 0);
    add_known(record, "publishers", row->publishers, row->publishers > 0);
    add_known(record, "subscribers", row->subscribers, row->subscribers > 0);
    add_known(record, "rate", row->rate, row->rate > 0);
    if (row_is_limit(row)) {
        cJSON_AddItemToObject(record, "limit_of", purpose_families(row));
        cJSON_AddStringToObject(record, "limit_kind", purpose_kind(row));
    }
}

cJSON *cell_to_json(const struct cell *cell)
{
    cJSON *record = cJSON_CreateObject();
    bool is_error = cell->error[0] != '\0', is_figure = !is_error && cell->not_applicable[0] == '\0';

    if (record == NULL)
        return NULL;
    cJSON_AddStringToObject(record, "record", "cell");
    add_row(record, cell->row);
    cJSON_AddNumberToObject(record, "block", cell->block);
    add_text(record, "placement", line_placement(cell->line_before_ns, cell->line_after_ns));
    add_known(record, "line_before_ns", cell->line_before_ns, cell->line_before_ns >= 0);
    add_known(record, "line_after_ns", cell->line_after_ns, cell->line_after_ns >= 0);
    add_known(record, "steal_ns", (double)cell->steal_ns, cell->steal_ns >= 0);
    add_known(record, "context_switches", (double)cell->context_switches, cell->context_switches >= 0);
    cJSON_AddItemToObject(record, "metrics", is_figure ? cJSON_Duplicate(cell->metrics, true) : cJSON_CreateObject());
    add_copy(record, "histogram", is_figure ? cell->histogram : NULL);
    add_copy(record, "histogram_uncorrected", is_figure ? cell->histogram_uncorrected : NULL);
    if (is_figure && cell->histograms != NULL)
        add_copy(record, "histograms", cell->histograms);
    if (is_figure && cell->unmeasured != NULL)
        add_copy(record, "unmeasured", cell->unmeasured);
    add_text(record, "error", cell->error);
    add_text(record, "fault", cell->wrong ? "messages" : NULL);
    add_text(record, "not_applicable", is_error ? NULL : cell->not_applicable);
    return record;
}
