#include "histogram.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static int reserve(struct results_histogram *histogram, size_t size)
{
    histogram->buckets = calloc(size ? size : 1, sizeof *histogram->buckets);
    return histogram->buckets ? 0 : -ENOMEM;
}

static void append(struct results_histogram *histogram, struct results_bucket bucket)
{
    histogram->buckets[histogram->size++] = bucket;
    histogram->total += bucket.count;
}

static int read_bucket(struct results_bucket *out, const cJSON *pair)
{
    const cJSON *value = cJSON_GetArrayItem(pair, 0);
    const cJSON *count = cJSON_GetArrayItem(pair, 1);
    if (cJSON_GetArraySize(pair) != 2 || !cJSON_IsNumber(value) || !cJSON_IsNumber(count))
        return -EINVAL;
    /* 2^53: beyond it a JSON number is no longer exact. */
    if (!(count->valuedouble >= 0 && count->valuedouble <= 9007199254740992.0) || !isfinite(value->valuedouble))
        return -EINVAL;
    *out = (struct results_bucket){value->valuedouble, (uint64_t)count->valuedouble};
    return 0;
}

int results_histogram_read(struct results_histogram *out, const cJSON *json)
{
    const cJSON *counts = cJSON_GetObjectItemCaseSensitive(json, "counts");
    const cJSON *pair;
    struct results_histogram histogram = {0};
    int error = 0;

    if (json == NULL || cJSON_IsNull(json)) {
        *out = histogram;
        return 0;
    }
    if (!cJSON_IsArray(counts))
        return -EINVAL;
    error = reserve(&histogram, (size_t)cJSON_GetArraySize(counts));
    if (error)
        return error;
    cJSON_ArrayForEach(pair, counts)
    {
        struct results_bucket bucket;
        error = read_bucket(&bucket, pair);
        if (error == 0 && histogram.size > 0 && bucket.value <= histogram.buckets[histogram.size - 1].value)
            error = -EINVAL;
        if (error)
            goto out;
        append(&histogram, bucket);
    }
    *out = histogram;
    return 0;
out:
    results_histogram_free(&histogram);
    return error;
}

int results_histogram_merge(struct results_histogram *sum, const struct results_histogram *other)
{
    struct results_histogram merged = {0};
    size_t a = 0, b = 0;
    int error = reserve(&merged, sum->size + other->size);
    if (error)
        return error;
    while (a < sum->size && b < other->size) {
        const struct results_bucket *left = &sum->buckets[a], *right = &other->buckets[b];
        append(&merged, left->value < right->value ? *left : *right);
        if (left->value == right->value) {
            merged.buckets[merged.size - 1].count += left->count;
            merged.total += left->count;
        }
        a += left->value <= right->value;
        b += right->value <= left->value;
    }
    while (a < sum->size)
        append(&merged, sum->buckets[a++]);
    while (b < other->size)
        append(&merged, other->buckets[b++]);
    results_histogram_free(sum);
    *sum = merged;
    return 0;
}

double results_histogram_percentile(const struct results_histogram *histogram, double p)
{
    /* Rounded, since 0.99 and its like are not exact: 10 000 samples have 100 beyond 99 %. */
    double beyond = (double)histogram->total * (1 - p);
    if (beyond + 1e-6 < RESULTS_SAMPLES_BEYOND)
        return NAN;
    return results_histogram_value(histogram, histogram->total - (uint64_t)floor(beyond + 1e-6));
}

double results_histogram_value(const struct results_histogram *histogram, uint64_t rank)
{
    uint64_t upto = 0;
    for (size_t i = 0; i < histogram->size; ++i) {
        upto += histogram->buckets[i].count;
        if (upto >= rank && upto > 0)
            return histogram->buckets[i].value;
    }
    return NAN;
}

double results_histogram_max(const struct results_histogram *histogram)
{
    for (size_t i = histogram->size; i > 0; --i)
        if (histogram->buckets[i - 1].count > 0)
            return histogram->buckets[i - 1].value;
    return NAN;
}

void results_histogram_free(struct results_histogram *histogram)
{
    free(histogram->buckets);
    *histogram = (struct results_histogram){0};
}
