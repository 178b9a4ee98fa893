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
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(record, "fault")));
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(record, "histogram")));
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(record, "placement")), "mixed");
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(record, "steal_ns")));
    assert_true(cJSON_GetNumberValue(cJSON_GetObjectItem(record, "block")) == 3);
    cJSON_Delete(record);
    cell_release(&cell);
}

static void wrong_messages_are_told_from_other_errors(void **state)
{
    cJSON *record;
    (void)state;
    open_cell();
    assert_int_equal(cell_wrong(&cell, "%d messages torn", 3), -1);
    cell_fail(&cell, "and then it crashed");
    record = cell_to_json(&cell);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(record, "error")), "3 messages torn");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(record, "fault")), "messages");
    cJSON_Delete(record);
    cell_release(&cell);
    open_cell(); /* what came before was the reason, and wrong messages may have been its consequence */
    cell_fail(&cell, "it crashed");
    cell_wrong(&cell, "3 messages lost");
    record = cell_to_json(&cell);
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(record, "fault")));
    cJSON_Delete(record);
    cell_release(&cell);
}

/* Neither an error nor a figure; what went wrong beside it is an error all the same. */
static void not_applicable_is_no_figure(void **state)
{
    cJSON *record;
    (void)state;
    open_cell();
    cell_metric(&cell, "p50_ns", 1);
    assert_int_equal(cell_not_applicable(&cell, "it has at most %d", 7), -1);
    record = cell_to_json(&cell);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(record, "not_applicable")), "it has at most 7");
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(record, "error")));
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(record, "metrics")), 0);
    cJSON_Delete(record);
    cell_fail(&cell, "left behind: a file");
    record = cell_to_json(&cell);
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(record, "not_applicable")));
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(record, "error")), "left behind: a file");
    cJSON_Delete(record);
    cell_release(&cell);
}

static const cJSON *metric_of(const cJSON *record, const char *name)
{
    return cJSON_GetObjectItem(cJSON_GetObjectItem(record, "metrics"), name);
}

/* Of few times there is a mean, and no percentile; of enough there is. */
static void times_of_several_kinds_stand_side_by_side(void **state)
{
    cJSON *few = make_histogram(1000, 5), *many = make_histogram(100, 1000), *record;
    (void)state;
    open_cell();
    cell_more_times(&cell, "death", few);
    cell_more_times(&cell, "close", many);
    assert_int_equal(cell_few_times(&cell, cJSON_Duplicate(few, true)), 0);
    record = cell_to_json(&cell);
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(record, "error")));
    assert_true(cJSON_GetNumberValue(metric_of(record, "death_ns")) == 1002);
    assert_true(cJSON_GetNumberValue(metric_of(record, "death_samples")) == 5);
    assert_null(metric_of(record, "death_p50_ns"));
    assert_true(cJSON_GetNumberValue(metric_of(record, "close_p50_ns")) == 599);
    assert_null(metric_of(record, "p50_ns"));
    assert_true(cJSON_GetNumberValue(metric_of(record, "samples")) == 5);
    assert_true(cJSON_Compare(cJSON_GetObjectItem(cJSON_GetObjectItem(record, "histograms"), "death"), few, true));
    cJSON_Delete(record);
    cell_more_times(&cell, "open", NULL);
    assert_non_null(strstr(cell.error, "no times of \"open\""));
    cell_release(&cell);
    cJSON_Delete(few);
    cJSON_Delete(many);
}

static void what_was_not_measured_is_null_and_says_why(void **state)
{
    cJSON *record;
    (void)state;
    open_cell();
    cell_metric(&cell, "p50_ns", 1);
    cell_unmeasured(&cell, "death_ns", "the driver does not %s", "tell");
    record = cell_to_json(&cell);
    assert_true(cJSON_IsNull(metric_of(record, "death_ns")));
    assert_true(cJSON_GetNumberValue(metric_of(record, "p50_ns")) == 1);
    assert_string_equal(
        cJSON_GetStringValue(cJSON_GetObjectItem(cJSON_GetObjectItem(record, "unmeasured"), "death_ns")),
        "the driver does not tell");
    cJSON_Delete(record);
    cell_release(&cell);
}

CASES_MAIN(CASE(one_way_is_half_a_trip), CASE(whole_trip_stays_whole), CASE(too_few_samples_are_no_figure),
           CASE(error_has_no_metrics_and_its_first_reason), CASE(wrong_messages_are_told_from_other_errors),
           CASE(not_applicable_is_no_figure), CASE(times_of_several_kinds_stand_side_by_side),
           CASE(what_was_not_measured_is_null_and_says_why))
