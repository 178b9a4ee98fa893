#include <cases.h>

#include <math.h>

#include "../rows/cell.h"

static struct row row;
static struct cell cell;

static void open_cell(void)
{
    char text[256];
    assert_int_equal(row_parse(&row, "hot/fifo/64B/1x1", text, sizeof text), 0);
    cell_init(&cell, &row, 3);
}

/* `count` values, one after the other from `first` on. */
static cJSON *make_histogram(uint64_t first, uint64_t count)
{
    struct ipcmark_histogram *histogram;
    cJSON *json;
    assert_int_equal(ipcmark_histogram_new(&histogram), 0);
    for (uint64_t i = 0; i < count; ++i)
        ipcmark_histogram_record(histogram, first + i);
    json = ipcmark_histogram_to_json(histogram);
    ipcmark_histogram_free(histogram);
    return json;
}

static double metric(const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(cell.metrics, name);
    return item == NULL ? NAN : item->valuedouble;
}

static void one_way_is_half_a_trip(void **state)
{
    (void)state;
    open_cell();
    assert_int_equal(cell_histogram(&cell, make_histogram(101, 1000), 2), 0); /* 101 … 1100 */
    assert_true(metric("samples") == 1000);
    assert_true(fabs(metric("p50_ns") - 300) <= 1);
    assert_true(fabs(metric("p90_ns") - 500) <= 1);
    assert_true(isnan(metric("p99_ns"))); /* 10 samples beyond it */
    assert_true(metric("max_ns") == 550);
    assert_true(fabs(cell.headline_ns - 300) <= 1);
    cell_release(&cell);
}

static void whole_trip_stays_whole(void **state)
{
    (void)state;
    open_cell();
    assert_int_equal(cell_histogram(&cell, make_histogram(101, 1000), 1), 0);
    assert_true(metric("p50_ns") == 600);
    cell_release(&cell);
}

static void too_few_samples_are_no_figure(void **state)
{
    (void)state;
    open_cell();
    assert_int_equal(cell_histogram(&cell, make_histogram(100, 199), 1), -1);
    assert_non_null(strstr(cell.error, "199 samples are too few"));
    cell_release(&cell);
    open_cell();
    assert_int_equal(cell_histogram(&cell, NULL, 1), -1);
    cell_release(&cell);
    open_cell();
    assert_int_equal(cell_histogram(&cell, cJSON_CreateString("no histogram"), 1), -1);
    cell_release(&cell);
}

static void error_has_no_metrics_and_its_first_reason(void **state)
{
    cJSON *record;
    (void)state;
    open_cell();
    cell.line_before_ns = 50, cell.line_after_ns = 200;
    assert_int_equal(cell_histogram(&cell, make_histogram(100, 1000), 1), 0);
    assert_int_equal(cell_fail(&cell, "%d messages lost", 3), -1);
    cell_fail(&cell, "and then it crashed");
    record = cell_to_json(&cell);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(record, "error")), "3 messages lost");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(record, "metrics")), 0);
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(record, "histogram")));
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(record, "placement")), "mixed");
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(record, "steal_ns")));
    assert_true(cJSON_GetNumberValue(cJSON_GetObjectItem(record, "block")) == 3);
    cJSON_Delete(record);
    cell_release(&cell);
}

CASES_MAIN(CASE(one_way_is_half_a_trip), CASE(whole_trip_stays_whole), CASE(too_few_samples_are_no_figure),
           CASE(error_has_no_metrics_and_its_first_reason))
