#include "statistics.h"

#include <math.h>
#include <stdlib.h>

#include <ipcmark/random.h>

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double statistics_median(double *values, size_t count)
{
    if (count == 0)
        return NAN;
    qsort(values, count, sizeof values[0], by_value);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

bool statistics_percentile_holds(double percentile, uint64_t samples)
{
    return (double)samples * (100 - percentile) >= 100 * 100 * (1 - 1e-9);
}

static uint64_t draw_below(uint64_t *state, uint64_t bound)
{
    uint64_t unfair = UINT64_MAX % bound, number;
    do
        number = ipcmark_random(state);
    while (number > UINT64_MAX - unfair - 1);
    return number % bound;
}

void statistics_shuffle(unsigned *order, size_t count, uint64_t seed, unsigned block)
{
    uint64_t state = seed;

    state = ipcmark_random(&state) ^ block;
    for (size_t i = 0; i < count; ++i)
        order[i] = (unsigned)i;
    for (size_t i = count; i > 1; --i) {
        size_t other = draw_below(&state, i);
        unsigned kept = order[i - 1];
        order[i - 1] = order[other];
        order[other] = kept;
    }
}
