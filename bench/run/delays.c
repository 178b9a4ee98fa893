#include "delays.h"

#include <math.h>
#include <stdlib.h>

struct sending {
    uint64_t stream, sequence, time_ns;
};

static uint64_t stream_of(const struct ipcmark_record *record)
{
    return (uint64_t)record->publisher << 32 | (uint64_t)record->epoch << 16 | record->thread;
}

static int compare(const void *a, const void *b)
{
    const struct sending *x = a, *y = b;

    if (x->stream != y->stream)
        return x->stream < y->stream ? -1 : 1;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

/* Sorted; count 0: there are none, or no memory for them. */
static struct sending *collect(const struct ipcmark_history *history, size_t *count)
{
    struct sending *all;
    size_t most = 0;

    *count = 0;
    for (size_t i = 0; i < history->journal_count; ++i)
        most += history->journals[i].view.count;
    all = most == 0 ? NULL : malloc(most * sizeof *all);
    for (size_t i = 0; all != NULL && i < history->journal_count; ++i)
        for (size_t k = 0; k < history->journals[i].view.count; ++k) {
            const struct ipcmark_record *record = &history->journals[i].view.records[k];
            if (record->kind == IPCMARK_INVOKE)
                all[(*count)++] = (struct sending){stream_of(record), record->sequence, record->time_ns};
        }
    if (*count > 0)
        qsort(all, *count, sizeof *all, compare);
    return all;
}

void delays_take(struct figures *self, const struct ipcmark_history *history)
{
    struct ipcmark_histogram *delays = NULL;
    size_t count;
    struct sending *all = collect(history, &count);

    *self = (struct figures){.p50_ns = NAN, .p99_ns = NAN, .p999_ns = NAN, .max_ns = NAN};
    if (count == 0 || ipcmark_histogram_new(&delays) < 0)
        goto out;
    for (size_t i = 0; i < history->journal_count; ++i)
        for (size_t k = 0; k < history->journals[i].view.count; ++k) {
            const struct ipcmark_record *record = &history->journals[i].view.records[k];
            const struct sending key = {stream_of(record), record->sequence, 0}, *sent = NULL;
            if (record->kind == IPCMARK_RECEIVED && (record->flags & IPCMARK_UNFRAMED) == 0)
                sent = bsearch(&key, all, count, sizeof *all, compare);
            if (sent != NULL && record->time_ns >= sent->time_ns)
                ipcmark_histogram_record(delays, record->time_ns - sent->time_ns);
        }
    figures_percentiles(self, delays);
out:
    ipcmark_histogram_free(delays);
    free(all);
}
