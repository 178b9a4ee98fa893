#include "cases.h"

#include "reader/histogram.h"

#include <errno.h>
#include <math.h>

static struct results_histogram from(const char *counts)
{
    struct results_histogram histogram = {0};
    char text[1024];
    cJSON *json;
    snprintf(text, sizeof text, "{\"unit\":\"ns\",\"counts\":%s}", counts);
    json = cJSON_Parse(text);
    assert_non_null(json);
    assert_int_equal(results_histogram_read(&histogram, json), 0);
    cJSON_Delete(json);
    return histogram;
}

static void merging_adds_counts_of_equal_values(void **state)
{
    struct results_histogram sum = from("[[10,1],[30,2]]"), other = from("[[5,4],[30,3],[40,1]]");
    (void)state;
    assert_int_equal(results_histogram_merge(&sum, &other), 0);
    assert_int_equal(sum.size, 4);
    assert_int_equal(sum.total, 11);
    assert_true(sum.buckets[0].value == 5 && sum.buckets[0].count == 4);
    assert_true(sum.buckets[2].value == 30 && sum.buckets[2].count == 5);
    assert_true(results_histogram_max(&sum) == 40);
    results_histogram_free(&sum);
    results_histogram_free(&other);
}

static void percentiles_are_those_of_the_sorted_samples(void **state)
{
    struct results_histogram histogram = from("[[100,5000],[200,4000],[300,900],[400,100]]");
    (void)state;
    assert_true(results_histogram_percentile(&histogram, 0.5) == 100);
    assert_true(results_histogram_percentile(&histogram, 0.501) == 200);
    assert_true(results_histogram_percentile(&histogram, 0.9) == 200);
    assert_true(results_histogram_percentile(&histogram, 0.99) == 300);
    results_histogram_free(&histogram);
}

/* Two blocks, one slow: the median of all samples is not the mean of the two medians. */
static void a_merged_percentile_is_not_an_average(void **state)
{
    struct results_histogram sum = from("[[100,1000]]"), slow = from("[[900,400]]");
    (void)state;
    assert_int_equal(results_histogram_merge(&sum, &slow), 0);
    assert_true(results_histogram_percentile(&sum, 0.5) == 100);
    assert_true(results_histogram_percentile(&sum, 0.9) == 900);
    results_histogram_free(&sum);
    results_histogram_free(&slow);
}

static void a_percentile_needs_a_hundred_samples_beyond(void **state)
{
    struct results_histogram enough = from("[[1,9900],[2,100]]"), few = from("[[1,9900],[2,99]]"), none = {0};
    (void)state;
    assert_true(results_histogram_percentile(&enough, 0.99) == 1);
    assert_true(isnan(results_histogram_percentile(&enough, 0.999)));
    assert_true(isnan(results_histogram_percentile(&few, 0.99)));
    assert_true(isnan(results_histogram_percentile(&none, 0.5)));
    assert_true(isnan(results_histogram_max(&none)));
    results_histogram_free(&enough);
    results_histogram_free(&few);
}

static void what_is_no_histogram_is_refused(void **state)
{
    static const char *const wrong[] = {"{}",
                                        "{\"counts\":7}",
                                        "{\"counts\":[7]}",
                                        "{\"counts\":[[1]]}",
                                        "{\"counts\":[[1,-1]]}",
                                        "{\"counts\":[[2,1],[1,1]]}",
                                        "{\"counts\":[[1,1],[1,1]]}",
                                        "{\"counts\":[[1,\"2\"]]}",
                                        "{\"counts\":[[1,1e300]]}"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; ++i) {
        struct results_histogram histogram = {0};
        cJSON *json = cJSON_Parse(wrong[i]);
        assert_non_null(json);
        assert_int_equal(results_histogram_read(&histogram, json), -EINVAL);
        cJSON_Delete(json);
    }
}

CASES_MAIN(CASE(merging_adds_counts_of_equal_values), CASE(percentiles_are_those_of_the_sorted_samples),
           CASE(a_merged_percentile_is_not_an_average), CASE(a_percentile_needs_a_hundred_samples_beyond),
           CASE(what_is_no_histogram_is_refused))
