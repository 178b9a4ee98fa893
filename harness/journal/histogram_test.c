#include "cases.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "ipcmark/histogram.h"

/* Numbers that look random and are the same every time. */
static uint64_t draw(uint64_t *x)
{
    *x += 0x9E3779B97F4A7C15u;
    uint64_t y = (*x ^ (*x >> 30)) * 0xBF58476D1CE4E5B9u;
    return y ^ (y >> 27);
}

static void every_bucket_holds_its_values(void **state)
{
    uint64_t next = 0;
    (void)state;
    for (size_t bucket = 0; bucket < IPCMARK_HISTOGRAM_BUCKETS; ++bucket) {
        uint64_t highest = ipcmark_histogram_value(bucket);
        assert_true(ipcmark_histogram_bucket(next) == bucket);
        assert_true(ipcmark_histogram_bucket(highest) == bucket);
        assert_true((double)(highest - next) <= (double)next / 1000.0);
        next = highest + 1;
    }
    assert_true(next == 0); /* the last bucket ends with the last value of u64 */
}

static int compare(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

/* Against a sorted array, for values spread over all magnitudes. */
static void percentiles_within_error(void **state)
{
    static const double percents[] = {0, 1, 25, 50, 90, 99, 99.9, 99.99, 100};
    enum { COUNT = 100000 };
    struct ipcmark_histogram *histogram;
    uint64_t *values = malloc(COUNT * sizeof *values), x = 1;
    (void)state;
    assert_int_equal(ipcmark_histogram_new(&histogram), 0);
    for (size_t i = 0; i < COUNT; ++i) {
        values[i] = draw(&x) >> (draw(&x) % 64);
        ipcmark_histogram_record(histogram, values[i]);
    }
    qsort(values, COUNT, sizeof *values, compare);
    for (size_t i = 0; i < sizeof percents / sizeof percents[0]; ++i) {
        size_t rank = (size_t)(COUNT * percents[i] / 100 + 0.9999);
        uint64_t exact = values[rank < 1 ? 0 : rank - 1];
        uint64_t got = ipcmark_histogram_percentile(histogram, percents[i]);
        assert_true(got >= exact && (double)(got - exact) <= (double)exact / 1000.0);
    }
    assert_true(ipcmark_histogram_maximum(histogram) == ipcmark_histogram_percentile(histogram, 100));
    free(values);
    ipcmark_histogram_free(histogram);
}

static void exact_in_the_small(void **state)
{
    struct ipcmark_histogram *histogram;
    (void)state;
    assert_int_equal(ipcmark_histogram_new(&histogram), 0);
    assert_true(ipcmark_histogram_percentile(histogram, 50) == 0);
    for (uint64_t value = 1; value <= 1000; ++value)
        ipcmark_histogram_record(histogram, value);
    assert_true(ipcmark_histogram_percentile(histogram, 0) == 1);
    assert_true(ipcmark_histogram_percentile(histogram, 50) == 500);
    assert_true(ipcmark_histogram_percentile(histogram, 99.9) == 999);
    assert_true(ipcmark_histogram_percentile(histogram, 99.91) == 1000);
    assert_true(ipcmark_histogram_percentile(histogram, 100) == 1000);
    assert_true(ipcmark_histogram_count_above(histogram, 990) == 10);
    assert_true(ipcmark_histogram_count_above(histogram, 1000) == 0);
    assert_true(histogram->total == 1000);
    ipcmark_histogram_clear(histogram);
    assert_true(histogram->total == 0 && ipcmark_histogram_maximum(histogram) == 0);
    ipcmark_histogram_free(histogram);
}

static void merge_is_recording_together(void **state)
{
    struct ipcmark_histogram *one, *two, *both;
    uint64_t x = 7;
    (void)state;
    assert_int_equal(ipcmark_histogram_new(&one), 0);
    assert_int_equal(ipcmark_histogram_new(&two), 0);
    assert_int_equal(ipcmark_histogram_new(&both), 0);
    for (int i = 0; i < 10000; ++i) {
        uint64_t value = draw(&x) >> 40;
        ipcmark_histogram_record(i % 3 == 0 ? one : two, value);
        ipcmark_histogram_record(both, value);
    }
    ipcmark_histogram_merge(one, two);
    assert_memory_equal(one, both, sizeof *both);
    ipcmark_histogram_free(one);
    ipcmark_histogram_free(two);
    ipcmark_histogram_free(both);
}

static void json_round_trip(void **state)
{
    static const uint64_t values[] = {0,          1,          2047,      2048, 1000000, 1u << 31, (1ull << 53) - 1,
                                      1ull << 54, 1ull << 60, UINT64_MAX};
    struct ipcmark_histogram *histogram, *copy;
    cJSON *json, *parsed;
    char *text;
    (void)state;
    assert_int_equal(ipcmark_histogram_new(&histogram), 0);
    assert_int_equal(ipcmark_histogram_new(&copy), 0);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; ++i)
        for (size_t repeat = 0; repeat <= i; ++repeat)
            ipcmark_histogram_record(histogram, values[i]);
    json = ipcmark_histogram_to_json(histogram);
    text = cJSON_PrintUnformatted(json);
    assert_non_null(text);
    parsed = cJSON_Parse(text);
    assert_int_equal(ipcmark_histogram_add_json(copy, parsed), 0);
    assert_memory_equal(histogram, copy, sizeof *copy);
    cJSON_free(text);
    cJSON_Delete(json);
    cJSON_Delete(parsed);
    ipcmark_histogram_free(histogram);
    ipcmark_histogram_free(copy);
}

static void bad_json_is_refused(void **state)
{
    static const char *const texts[] = {
        "null",
        "{}",
        "{\"unit\":\"ms\",\"significant_digits\":3,\"counts\":[]}",
        "{\"unit\":\"ns\",\"significant_digits\":2,\"counts\":[]}",
        "{\"unit\":\"ns\",\"significant_digits\":3,\"counts\":[[1,1],[2]]}",
        "{\"unit\":\"ns\",\"significant_digits\":3,\"counts\":[[1,1],[2,-1]]}",
        "{\"unit\":\"ns\",\"significant_digits\":3,\"counts\":[[1,1],[2,1.5]]}",
        "{\"unit\":\"ns\",\"significant_digits\":3,\"counts\":[[1,1],[\"2\",1]]}",
        "{\"unit\":\"ns\",\"significant_digits\":3,\"counts\":[[1,1],3]}",
        "{\"unit\":\"ns\",\"significant_digits\":3,\"counts\":[[1,1],[2,1e17]]}",
    };
    struct ipcmark_histogram *histogram;
    (void)state;
    assert_int_equal(ipcmark_histogram_new(&histogram), 0);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; ++i) {
        cJSON *json = cJSON_Parse(texts[i]);
        assert_int_equal(ipcmark_histogram_add_json(histogram, json), -22);
        assert_true(histogram->total == 0);
        cJSON_Delete(json);
    }
    ipcmark_histogram_free(histogram);
}

CASES_MAIN(CASE(every_bucket_holds_its_values), CASE(percentiles_within_error), CASE(exact_in_the_small),
           CASE(merge_is_recording_together), CASE(json_round_trip), CASE(bad_json_is_refused))
