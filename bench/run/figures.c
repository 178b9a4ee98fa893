#include "figures.h"

#include <math.h>

#include "../command/statistics.h"

/* A message that was refused has had its number. */
static void explain_gaps(struct figures *self, const struct crew *crew)
{
    const uint64_t refused = (self->sum.failed + self->sum.unknown) * crew->scenario->subscribers;

    self->gaps = self->sum.lost;
    self->sum.lost -= refused < self->gaps ? refused : self->gaps;
}

static double percentile(const struct ipcmark_histogram *histogram, double percent)
{
    if (!statistics_percentile_holds(percent, histogram->total))
        return NAN;
    return (double)ipcmark_histogram_percentile(histogram, percent);
}

void figures_percentiles(struct figures *self, const struct ipcmark_histogram *histogram)
{
    self->samples = histogram->total;
    self->p50_ns = percentile(histogram, 50);
    self->p99_ns = percentile(histogram, 99);
    self->p999_ns = percentile(histogram, 99.9);
    self->max_ns = histogram->total > 0 ? (double)ipcmark_histogram_maximum(histogram) : NAN;
}

void figures_take(struct figures *self, const struct crew *crew)
{
    struct ipcmark_histogram *latency;

    *self = (struct figures){.at_ns = ipcmark_now_ns(), .p50_ns = NAN, .p99_ns = NAN, .p999_ns = NAN, .max_ns = NAN};
    for (unsigned i = 0; i < crew->count; ++i)
        crew_count(&crew->members[i], &self->sum);
    explain_gaps(self, crew);
    if (ipcmark_histogram_new(&latency) < 0)
        return; /* unknown, then */
    crew_latencies(crew, latency);
    figures_percentiles(self, latency);
    ipcmark_histogram_free(latency);
}
