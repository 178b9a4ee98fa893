/* Google Benchmark's JSON, as compare.py reads it. Its benchmarks are times: a rate becomes the time of one message. */
#include "export.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What an entry of Google's means by these names is not what a cell means. */
static const char *const reserved[] = {"name",           "family_index",     "per_family_instance_index",
                                       "run_name",       "run_type",         "repetitions",
                                       "threads",        "repetition_index", "iterations",
                                       "real_time",      "cpu_time",         "time_unit",
                                       "aggregate_name", "aggregate_unit",   "items_per_second",
                                       "error_occurred", "error_message",    "label"};

static double time_of(const struct results_row *row, const char *metric, double value)
{
    const struct export_unit unit = export_unit(metric);
    size_t length = strlen(unit.text);
    if (strncmp(unit.text, "ns", 2) == 0)
        return value;
    if (strcmp(unit.text, "seconds/million") == 0)
        return 1e3 * value;
    if (strcmp(unit.text, "bytes/s") == 0)
        return 1e9 * row->first->size / value;
    return length > 2 && strcmp(unit.text + length - 2, "/s") == 0 ? 1e9 / value : NAN;
}

static const char *headline(const struct results_row *row)
{
    const char *metrics[EXPORT_FIGURES];
    export_figures(row, metrics);
    return metrics[0];
}

bool export_google_has(const struct results_row *row)
{
    const char *metric = headline(row);
    return metric && isfinite(time_of(row, metric, 1));
}

/* A row as a benchmark of theirs. */
struct benchmark {
    const struct results_row *row;
    const char *metric;
    size_t number, repetitions; /* among all; cells that have the metric */
};

/* A cell with too few samples for its percentile is none. */
static double cell_value(const struct benchmark *benchmark, size_t sample)
{
    return results_number(benchmark->row->samples[sample].cell->metrics, benchmark->metric);
}

static struct benchmark benchmark_of(const struct results_row *row, size_t number)
{
    struct benchmark benchmark = {row, headline(row), number, 0};
    for (size_t i = 0; i < row->sample_count; ++i)
        benchmark.repetitions += isnan(cell_value(&benchmark, i)) ? 0 : 1;
    return benchmark;
}

/* The CPU time is known only where it is the figure; 0 elsewhere, since the format must have one. */
static cJSON *entry(const struct benchmark *benchmark, double value)
{
    cJSON *json = cJSON_CreateObject();
    const char *name = benchmark->row->name;
    double nanoseconds = time_of(benchmark->row, benchmark->metric, value);
    cJSON_AddStringToObject(json, "name", name);
    cJSON_AddNumberToObject(json, "family_index", (double)benchmark->number);
    cJSON_AddNumberToObject(json, "per_family_instance_index", 0);
    cJSON_AddStringToObject(json, "run_name", name);
    cJSON_AddNumberToObject(json, "repetitions", (double)benchmark->repetitions);
    cJSON_AddNumberToObject(json, "threads", 1);
    cJSON_AddNumberToObject(json, "real_time", nanoseconds);
    cJSON_AddNumberToObject(json, "cpu_time", strstr(benchmark->metric, "cpu_") ? nanoseconds : 0);
    cJSON_AddStringToObject(json, "time_unit", "ns");
    return json;
}

static bool is_reserved(const char *name)
{
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; ++i)
        if (strcmp(reserved[i], name) == 0)
            return true;
    return false;
}

static int add_cell(cJSON *entries, const struct benchmark *benchmark, size_t sample, size_t repetition)
{
    const struct results_cell *cell = benchmark->row->samples[sample].cell;
    double value = cell_value(benchmark, sample), samples = results_number(cell->metrics, "samples");
    cJSON *json = entry(benchmark, value), *counter;
    cJSON_AddStringToObject(json, "run_type", "iteration");
    cJSON_AddNumberToObject(json, "repetition_index", (double)repetition);
    cJSON_AddNumberToObject(json, "iterations", isnan(samples) ? 1 : samples);
    if (strcmp(benchmark->metric, "messages_per_second") == 0)
        cJSON_AddNumberToObject(json, "items_per_second", value);
    cJSON_ArrayForEach(counter, cell->metrics)
    {
        if (cJSON_IsNumber(counter) && !is_reserved(counter->string))
            cJSON_AddNumberToObject(json, counter->string, counter->valuedouble);
    }
    return cJSON_AddItemToArray(entries, json) ? 0 : -ENOMEM;
}

/* The row's own figure: of a percentile that of all blocks' samples together, which is no median of percentiles. */
static int add_median(cJSON *entries, const struct benchmark *benchmark)
{
    cJSON *json = entry(benchmark, results_row_metric(benchmark->row, benchmark->metric).median);
    char *name = NULL; /* whole: cut anywhere it may not be UTF-8 */
    if (asprintf(&name, "%s_median", benchmark->row->name) < 0) {
        cJSON_Delete(json);
        return -ENOMEM;
    }
    cJSON_ReplaceItemInObjectCaseSensitive(json, "name", cJSON_CreateString(name));
    free(name);
    cJSON_AddStringToObject(json, "run_type", "aggregate");
    cJSON_AddStringToObject(json, "aggregate_name", "median");
    cJSON_AddStringToObject(json, "aggregate_unit", "time");
    cJSON_AddNumberToObject(json, "iterations", (double)benchmark->repetitions);
    return cJSON_AddItemToArray(entries, json) ? 0 : -ENOMEM;
}

static int add_row(cJSON *entries, const struct results_row *row, size_t number)
{
    const struct benchmark benchmark = benchmark_of(row, number);
    size_t repetition = 0;
    int error = 0;
    for (size_t i = 0; i < row->sample_count && error == 0; ++i)
        if (!isnan(cell_value(&benchmark, i)))
            error = add_cell(entries, &benchmark, i, repetition++);
    return error ? error : add_median(entries, &benchmark);
}

/* The names are Google Benchmark's; what is not known and must be a number is 0. No host is ever named. */
static cJSON *context(const struct results_run *run)
{
    const cJSON *environment = results_object(run->header, "environment");
    const char *governor = results_string(environment, "governor"), *flags = results_string(environment, "flags");
    const char *commit = results_string(environment, "commit"), *cpu = results_string(environment, "cpu");
    double load = results_number(environment, "load"), cpus = results_number(environment, "cpus");
    bool optimised = flags && (strstr(flags, "-O2") || strstr(flags, "-O3"));
    cJSON *json = cJSON_CreateObject(), *loads;
    cJSON_AddStringToObject(json, "date", results_header(run, "started"));
    cJSON_AddStringToObject(json, "host_name", "");
    cJSON_AddStringToObject(json, "executable", "ipcmark bench");
    cJSON_AddNumberToObject(json, "num_cpus", isnan(cpus) ? 0 : cpus);
    cJSON_AddNumberToObject(json, "mhz_per_cpu", 0);
    cJSON_AddBoolToObject(json, "cpu_scaling_enabled", governor && strcmp(governor, "performance") != 0);
    cJSON_AddArrayToObject(json, "caches");
    loads = cJSON_AddArrayToObject(json, "load_avg");
    if (!isnan(load))
        cJSON_AddItemToArray(loads, cJSON_CreateNumber(load));
    cJSON_AddStringToObject(json, "library_build_type", optimised ? "release" : "debug");
    cJSON_AddStringToObject(json, "ipcmark_version", results_header(run, "suite_version"));
    cJSON_AddStringToObject(json, "ipcmark_command", results_header(run, "command"));
    cJSON_AddStringToObject(json, "ipcmark_commit", commit ? commit : "");
    cJSON_AddStringToObject(json, "ipcmark_cpu", cpu ? cpu : "");
    return json;
}

int export_google(FILE *out, const struct export *export)
{
    cJSON *json = cJSON_CreateObject(), *entries;
    char *text = NULL;
    int error = 0;
    cJSON_AddItemToObject(json, "context", context(export->run));
    entries = cJSON_AddArrayToObject(json, "benchmarks");
    for (size_t i = 0; i < export->row_count && error == 0; ++i)
        error = add_row(entries, export->rows[i], i);
    text = error == 0 ? cJSON_Print(json) : NULL;
    if (text)
        fprintf(out, "%s\n", text);
    else
        error = -ENOMEM;
    cJSON_free(text);
    cJSON_Delete(json);
    return error;
}
