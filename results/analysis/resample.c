/* The percentile bootstrap. */
#include "statistics.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* With fewer, drawing anew shows little more than the values themselves; the interval of ranks has none either. */
enum { FEWEST = 6 };

/* splitmix64: small, and every seed gives another, well-mixed, sequence. */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* The remainder favours nobody by more than one in 2^50, for there are never a thousand blocks. */
static void draw_again(uint64_t *state, size_t *drawn, size_t count)
{
    for (size_t i = 0; i < count; ++i)
        drawn[i] = (size_t)(draw(state) % count);
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* False: a drawing has no statistic. */
static bool take_all(const struct results_resampling *resampling, size_t *drawn, double *statistics)
{
    uint64_t state = resampling->seed;
    for (size_t i = 0; i < RESULTS_DRAWS; ++i) {
        draw_again(&state, drawn, resampling->count);
        draw_again(&state, drawn + resampling->count, resampling->other_count);
        statistics[i] = resampling->statistic(resampling->context, drawn, drawn + resampling->count);
        if (isnan(statistics[i]))
            return false;
    }
    return true;
}

int results_resample(struct results_interval *out, const struct results_resampling *resampling, double share)
{
    size_t other = resampling->other_count, skip = (size_t)((1 - share) / 2 * RESULTS_DRAWS + 1e-9);
    struct results_interval interval = {NAN, NAN};
    size_t *drawn = calloc(resampling->count + other + 1, sizeof *drawn);
    double *statistics = calloc(RESULTS_DRAWS, sizeof *statistics);
    int error = drawn == NULL || statistics == NULL ? -ENOMEM : 0;
    if (error)
        goto out;
    if (resampling->count >= FEWEST && (other == 0 || other >= FEWEST) && take_all(resampling, drawn, statistics)) {
        qsort(statistics, RESULTS_DRAWS, sizeof *statistics, compare);
        interval = (struct results_interval){statistics[skip], statistics[RESULTS_DRAWS - 1 - skip]};
    }
    *out = interval;
out:
    free(drawn);
    free(statistics);
    return error;
}
