/* ipcmark/histogram.h — counts of nanosecond values to three significant digits, mergeable.
 *
 * Log-linear: values below 2048 have a bucket each, then every power of two has 1024; a bucket is at most 1/1024 of its
 * values wide, over all of u64, so nothing is ever clamped. One writer at a time, beside whom
 * ipcmark_histogram_to_json() may read; the memory (450 KB) is only touched where values fall.
 */
#ifndef IPCMARK_HISTOGRAM_H
#define IPCMARK_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct cJSON;

#define IPCMARK_HISTOGRAM_BUCKETS 56320

struct ipcmark_histogram {
    uint64_t total; /* values recorded */
    uint64_t counts[IPCMARK_HISTOGRAM_BUCKETS];
};

int ipcmark_histogram_new(struct ipcmark_histogram **out);        /* 0 or -ENOMEM */
void ipcmark_histogram_free(struct ipcmark_histogram *histogram); /* NULL is fine */
void ipcmark_histogram_clear(struct ipcmark_histogram *histogram);

static inline size_t ipcmark_histogram_bucket(uint64_t value)
{
    unsigned shift = 53u - (unsigned)__builtin_clzll(value | 1024u);
    return ((size_t)shift << 10) + (size_t)(value >> shift);
}

/* The highest value of a bucket: what the bucket stands for, everywhere. */
static inline uint64_t ipcmark_histogram_value(size_t bucket)
{
    unsigned shift = bucket < 2048 ? 0 : (unsigned)(bucket >> 10) - 1;
    return ((uint64_t)(bucket - ((size_t)shift << 10) + 1) << shift) - 1;
}

static inline void ipcmark_histogram_record(struct ipcmark_histogram *histogram, uint64_t value)
{
    ++histogram->total;
    uint64_t *count = &histogram->counts[ipcmark_histogram_bucket(value)];
    __atomic_store_n(count, *count + 1, __ATOMIC_RELAXED);
}

void ipcmark_histogram_merge(struct ipcmark_histogram *into, const struct ipcmark_histogram *from);

/* The smallest recorded value that at least `percent` (0 to 100) of all do not exceed, to the bucket; 0 if empty. */
uint64_t ipcmark_histogram_percentile(const struct ipcmark_histogram *histogram, double percent);
uint64_t ipcmark_histogram_maximum(const struct ipcmark_histogram *histogram);
uint64_t ipcmark_histogram_count_above(const struct ipcmark_histogram *histogram,
                                       uint64_t value); /* in higher buckets */

/* {"unit":"ns","significant_digits":3,"counts":[[value,count],…]}; the caller deletes it. NULL: out of memory. */
struct cJSON *ipcmark_histogram_to_json(const struct ipcmark_histogram *histogram);

/* Adds the counts of such an object. -EINVAL, and nothing added: not one. */
int ipcmark_histogram_add_json(struct ipcmark_histogram *into, const struct cJSON *json);

#ifdef __cplusplus
}
#endif
#endif
