#include "statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* That a coin which shows heads so often shows them `heads` times in `throws`. */
static double chance(size_t throws, size_t heads, double fraction)
{
    double n = (double)throws, k = (double)heads;
    return exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(fraction) + (n - k) * log(1 - fraction));
}

/* How many values lie below the true quantile is as the heads of so many throws. */
bool statistics_quantile_ranks(size_t count, double fraction, size_t *low, size_t *high)
{
    double below = 0;
    size_t rank = 0, bottom;

    while (rank < count && below + chance(count, rank, fraction) <= 0.025)
        below += chance(count, rank++, fraction);
    if (rank == 0 || rank == count)
        return false;
    bottom = rank - 1;
    while (rank < count && below < 0.975)
        below += chance(count, rank++, fraction);
    *low = bottom;
    *high = below < 0.975 ? count : rank - 1;
    return true;
}

bool statistics_median_ranks(size_t count, size_t *low, size_t *high)
{
    return statistics_quantile_ranks(count, 0.5, low, high);
}

static bool is_pair(const struct sample *a, const struct sample *b)
{
    return a->block == b->block && a->placement != NULL && b->placement != NULL && strcmp(a->placement, "mixed") != 0 &&
           strcmp(a->placement, b->placement) == 0 && b->value > 0;
}

size_t statistics_pair(const struct sample *a, size_t count_a, const struct sample *b, size_t count_b, double *ratios)
{
    size_t pairs = 0;

    for (size_t i = 0; i < count_a; ++i)
        for (size_t j = 0; j < count_b; ++j)
            if (is_pair(&a[i], &b[j])) {
                ratios[pairs++] = a[i].value / b[j].value;
                break;
            }
    return pairs;
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
