/* Histograms of durations as result files hold them: buckets in rising order, each with its highest value. Percentiles
 * of several blocks come from merging their histograms, never from averaging their percentiles. */
#ifndef RESULTS_HISTOGRAM_H
#define RESULTS_HISTOGRAM_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

/* A percentile is a figure only if this many samples lie beyond it. */
#define RESULTS_SAMPLES_BEYOND 100

struct results_bucket {
    double value;
    uint64_t count;
};

/* Zeroed: empty. */
struct results_histogram {
    struct results_bucket *buckets; /* owned */
    size_t size;
    uint64_t total; /* of all counts */
};

/* results_histogram_read takes the member `counts` of a histogram object; null is an empty histogram. -EINVAL if it is
 * not a list of [value, count] in rising order. */
int results_histogram_read(struct results_histogram *out, const cJSON *json);

/* results_histogram_merge adds `other` to `sum`. */
int results_histogram_merge(struct results_histogram *sum, const struct results_histogram *other);

/* results_histogram_percentile: the smallest value that at least the fraction p of all samples does not exceed; NAN if
 * the samples are too few to tell (fewer than RESULTS_SAMPLES_BEYOND beyond it). */
double results_histogram_percentile(const struct results_histogram *histogram, double p);

/* results_histogram_value: the value of the sample of that rank, from 1 (the smallest); NAN if there are not so many.
 */
double results_histogram_value(const struct results_histogram *histogram, uint64_t rank);

/* results_histogram_max: the highest value that was seen; NAN if empty. */
double results_histogram_max(const struct results_histogram *histogram);

void results_histogram_free(struct results_histogram *histogram);

#endif
