/* One row of each family, for each driver: the figures are there, are possible, and nothing was lost. */
#include <cases.h>

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include <ipcmark/histogram.h>

#include "rows_run.h"

static double metric(const cJSON *cell, const char *name)
{
    double value = rows_run_metric(cell, name);
    if (!(value > 0))
        fail_msg("%s is %f", name, value);
    return value;
}

static void check_times(const cJSON *cell)
{
    static const char *const percentiles[] = {"p50_ns", "p90_ns", "p99_ns", "p999_ns", "max_ns"};
    const cJSON *json = cJSON_GetObjectItem(cell, "histogram");
    struct ipcmark_histogram *histogram;
    double before = 1;

    for (size_t i = 0; i < sizeof percentiles / sizeof percentiles[0]; ++i) {
        double value = rows_run_metric(cell, percentiles[i]);
        if (isnan(value))
            continue; /* not enough samples for it */
        assert_true(value >= before);
        before = value;
    }
    assert_int_equal(ipcmark_histogram_new(&histogram), 0);
    assert_int_equal(ipcmark_histogram_add_json(histogram, json), 0);
    assert_true((double)histogram->total == metric(cell, "samples"));
    assert_true((double)ipcmark_histogram_percentile(histogram, 50) == metric(cell, "p50_ns"));
    ipcmark_histogram_free(histogram);
}

static void check_rate(const cJSON *cell, double size)
{
    double rate = metric(cell, "messages_per_second");
    assert_true(fabs(metric(cell, "bytes_per_second") / (rate * size) - 1) < 1e-9);
}

static const cJSON *figure(const struct rows_run *run, const char *row)
{
    const cJSON *cell = rows_run_cell(run, row);
    if (rows_run_error(cell) != NULL)
        fail_msg("%s: %s", row, rows_run_error(cell));
    metric(cell, "samples");
    assert_true(cJSON_IsNumber(cJSON_GetObjectItem(cell, "context_switches")));
    return cell;
}

/* Where what a row is about is in its metrics: times, or a rate of messages of that size. */
enum { TIMES };

struct shape {
    const char *format;
    double size; /* or TIMES */
};

/* Those of fewer drivers come last. */
static const struct shape all[] = {
    {"hot/%s/64B/1x1", TIMES},  {"size/%s/8B/1x1", 8},    {"size/%s/2MiB/1x1", 1 << 21},
    {"mesh/%s/1KiB/3x3", 1024}, {"size/%s/20B/1x1", 20},  {"throughput/%s/1KiB/1x1", 1024},
    {"fanout/%s/64B/1x2", 64},  {"fanin/%s/64B/3x1", 64}, {"roundtrip/%s/64B/1x1", TIMES}};
enum { ALL = sizeof all / sizeof all[0], FEW = 4 };

static void smoke(const char *driver, size_t count)
{
    char rows[ALL][64];
    const char *words[ALL + 3] = {"--seconds", "0.05"};
    struct rows_run run;

    for (size_t i = 0; i < count; ++i) {
        snprintf(rows[i], sizeof rows[i], all[i].format, driver);
        words[i + 2] = rows[i];
    }
    run = rows_run(words);
    for (size_t i = 0; i < count; ++i)
        if (all[i].size == TIMES)
            check_times(figure(&run, rows[i]));
        else
            check_rate(figure(&run, rows[i]), all[i].size);
    assert_int_equal(run.exit_code, 0);
    rows_run_free(&run);
}

/* More samples than fit into that time. */
static void smoke_latency(const char *driver)
{
    char row[64];
    const char *words[] = {"--seconds", "0.1", "--samples", "1000", row, NULL};
    struct rows_run run;
    const cJSON *cell;

    snprintf(row, sizeof row, "latency/%s/64B/1x1/r2000", driver);
    run = rows_run_undisturbed(words);
    cell = figure(&run, row);
    check_times(cell);
    assert_true(metric(cell, "samples") == 1000);
    assert_true(metric(cell, "achieved_rate") >= 1980);
    assert_true(cJSON_IsObject(cJSON_GetObjectItem(cell, "histogram_uncorrected")));
    assert_int_equal(run.exit_code, 0);
    rows_run_free(&run);
}

static void fifo(void **state)
{
    (void)state;
    smoke("fifo", ALL);
    smoke_latency("fifo");
}

static void tcp(void **state)
{
    (void)state;
    smoke("tcp", FEW);
    smoke_latency("tcp");
}

static void mmipc(void **state)
{
    (void)state;
    smoke("mmipc", FEW);
    smoke_latency("mmipc");
}

/* Others may have kept a CPU for so long that the line before or after is unknown. */
static void check_placement(const cJSON *cell)
{
    bool is_known = cJSON_IsNumber(cJSON_GetObjectItem(cell, "line_before_ns")) &&
                    cJSON_IsNumber(cJSON_GetObjectItem(cell, "line_after_ns"));
    assert_int_equal(cJSON_IsString(cJSON_GetObjectItem(cell, "placement")), is_known);
}

static void limits(void **state)
{
    const char *words[] = {"--seconds",
                           "0.05",
                           "limit/line",
                           "limit/bare-ring/64B",
                           "limit/bare-ring-hot/64B",
                           "limit/harness/1KiB",
                           "limit/memcpy/1MiB",
                           NULL};
    struct rows_run run;
    (void)state;
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
        exit(77); /* these limits are of two CPUs */
    run = rows_run_undisturbed(words);
    metric(rows_run_cell(&run, "limit/line"), "p50_ns");
    check_placement(rows_run_cell(&run, "limit/line"));
    check_rate(figure(&run, "limit/bare-ring/64B"), 64);
    check_rate(figure(&run, "limit/harness/1KiB"), 1024);
    check_times(figure(&run, "limit/bare-ring-hot/64B"));
    metric(rows_run_cell(&run, "limit/memcpy/1MiB"), "bytes_per_second");
    assert_int_equal(run.exit_code, 0);
    rows_run_free(&run);
}

static void unusable_driver_is_an_error(void **state)
{
    const char *words[] = {"hot/no-such-driver/64B/1x1", "limit/memcpy/1MiB", NULL};
    struct rows_run run = rows_run(words);
    (void)state;
    assert_int_equal(run.exit_code, 1);
    assert_non_null(strstr(rows_run_error(rows_run_cell(&run, "hot/no-such-driver/64B/1x1")), "no-such-driver"));
    assert_null(rows_run_error(rows_run_cell(&run, "limit/memcpy/1MiB"))); /* the others go on */
    rows_run_free(&run);
}

CASES_MAIN(CASE(fifo), CASE(tcp), CASE(mmipc), CASE(limits), CASE(unusable_driver_is_an_error))
