#include "ipcmark/histogram.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int ipcmark_histogram_new(struct ipcmark_histogram **out)
{
    struct ipcmark_histogram *histogram = calloc(1, sizeof *histogram);
    if (histogram == NULL)
        return -ENOMEM;
    *out = histogram;
    return 0;
}

void ipcmark_histogram_free(struct ipcmark_histogram *histogram)
{
    free(histogram);
}

void ipcmark_histogram_clear(struct ipcmark_histogram *histogram)
{
    memset(histogram, 0, sizeof *histogram);
}

void ipcmark_histogram_merge(struct ipcmark_histogram *into, const struct ipcmark_histogram *from)
{
    into->total += from->total;
    for (size_t bucket = 0; bucket < IPCMARK_HISTOGRAM_BUCKETS; ++bucket)
        into->counts[bucket] += from->counts[bucket];
}

uint64_t ipcmark_histogram_percentile(const struct ipcmark_histogram *histogram, double percent)
{
    double rank = ceil((double)histogram->total * percent / 100.0);
    uint64_t wanted = rank < 1 ? 1 : (uint64_t)rank, seen = 0;
    for (size_t bucket = 0; bucket < IPCMARK_HISTOGRAM_BUCKETS; ++bucket) {
        seen += histogram->counts[bucket];
        if (seen >= wanted)
            return ipcmark_histogram_value(bucket);
    }
    return ipcmark_histogram_maximum(histogram);
}

uint64_t ipcmark_histogram_maximum(const struct ipcmark_histogram *histogram)
{
    for (size_t bucket = IPCMARK_HISTOGRAM_BUCKETS; bucket-- > 0;)
        if (histogram->counts[bucket] > 0)
            return ipcmark_histogram_value(bucket);
    return 0;
}

uint64_t ipcmark_histogram_count_above(const struct ipcmark_histogram *histogram, uint64_t value)
{
    uint64_t count = 0;
    for (size_t bucket = ipcmark_histogram_bucket(value) + 1; bucket < IPCMARK_HISTOGRAM_BUCKETS; ++bucket)
        count += histogram->counts[bucket];
    return count;
}

/* [value, count] */
static cJSON *pair_to_json(uint64_t value, uint64_t count)
{
    const double numbers[2] = {(double)value, (double)count};
    return cJSON_CreateDoubleArray(numbers, 2);
}

cJSON *ipcmark_histogram_to_json(const struct ipcmark_histogram *histogram)
{
    cJSON *json = cJSON_CreateObject(), *counts;
    if (cJSON_AddStringToObject(json, "unit", "ns") == NULL ||
        cJSON_AddNumberToObject(json, "significant_digits", 3) == NULL)
        goto fail;
    counts = cJSON_AddArrayToObject(json, "counts");
    for (size_t bucket = 0; bucket < IPCMARK_HISTOGRAM_BUCKETS; ++bucket) {
        const uint64_t count = __atomic_load_n(&histogram->counts[bucket], __ATOMIC_RELAXED);
        cJSON *pair;
        if (count == 0)
            continue;
        pair = pair_to_json(ipcmark_histogram_value(bucket), count);
        if (!cJSON_AddItemToArray(counts, pair)) {
            cJSON_Delete(pair);
            goto fail;
        }
    }
    return json;
fail:
    cJSON_Delete(json);
    return NULL;
}

/* Whole, and no larger than what a double holds exactly; values beyond come back in their own bucket all the same. */
static int is_natural(const cJSON *number)
{
    return cJSON_IsNumber(number) && number->valuedouble >= 0 && number->valuedouble <= 0x1p64 &&
           floor(number->valuedouble) >= number->valuedouble;
}

/* 0 and the pair, or -EINVAL. */
static int pair_parse(const cJSON *pair, uint64_t *value, uint64_t *count)
{
    const cJSON *first = cJSON_GetArrayItem(pair, 0), *second = cJSON_GetArrayItem(pair, 1);
    if (!cJSON_IsArray(pair) || cJSON_GetArraySize(pair) != 2 || !is_natural(first) || !is_natural(second) ||
        second->valuedouble > 0x1p53)
        return -EINVAL;
    /* Above 2^53 a bucket's highest value, 2^k - 1 in its low bits, was rounded up into the next bucket. */
    *value = first->valuedouble > 0x1p53 ? (uint64_t)nextafter(first->valuedouble, 0) : (uint64_t)first->valuedouble;
    *count = (uint64_t)second->valuedouble;
    return 0;
}

int ipcmark_histogram_add_json(struct ipcmark_histogram *into, const cJSON *json)
{
    const cJSON *counts = cJSON_GetObjectItemCaseSensitive(json, "counts"), *pair;
    const cJSON *unit = cJSON_GetObjectItemCaseSensitive(json, "unit");
    const cJSON *digits = cJSON_GetObjectItemCaseSensitive(json, "significant_digits");
    uint64_t value, count;
    if (!cJSON_IsArray(counts) || !cJSON_IsString(unit) || strcmp(unit->valuestring, "ns") != 0 ||
        !cJSON_IsNumber(digits) || digits->valueint != 3)
        return -EINVAL;
    cJSON_ArrayForEach(pair, counts)
    {
        if (pair_parse(pair, &value, &count) < 0)
            return -EINVAL;
    }
    cJSON_ArrayForEach(pair, counts)
    {
        pair_parse(pair, &value, &count);
        into->counts[ipcmark_histogram_bucket(value)] += count;
        into->total += count;
    }
    return 0;
}
