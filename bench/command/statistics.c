#include "statistics.h"

#include <math.h>
#include <stdlib.h>

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

/* splitmix64: small, and every seed gives another, well-mixed, sequence. */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t draw_below(uint64_t *state, uint64_t bound)
{
    uint64_t unfair = UINT64_MAX % bound, number;
    do
        number = draw(state);
    while (number > UINT64_MAX - unfair - 1);
    return number % bound;
}

void statistics_shuffle(unsigned *order, size_t count, uint64_t seed, unsigned block)
{
    uint64_t state = seed;

    state = draw(&state) ^ block;
    for (size_t i = 0; i < count; ++i)
        order[i] = (unsigned)i;
    for (size_t i = count; i > 1; --i) {
        size_t other = draw_below(&state, i);
        unsigned kept = order[i - 1];
        order[i - 1] = order[other];
        order[other] = kept;
    }
}
