#include "statistics.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

double results_median(double *values, size_t count)
{
    if (count == 0)
        return NAN;
    qsort(values, count, sizeof *values, compare);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

/* That a coin which shows heads so often shows them `heads` times in `throws`. */
static double chance(size_t throws, size_t heads, double fraction)
{
    double n = (double)throws, k = (double)heads;
    return exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(fraction) + (n - k) * log(1 - fraction));
}

/* How many values lie below the true quantile is as the heads of so many throws. */
bool results_ranks(size_t count, double fraction, size_t *low, size_t *high)
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

struct results_spread results_spread(double *values, size_t count)
{
    struct results_spread spread = {.count = count, .median = NAN, .low = NAN, .high = NAN};
    size_t low = 0, high = count - 1;
    if (count == 0)
        return spread;
    spread.median = results_median(values, count);
    spread.interval = results_ranks(count, 0.5, &low, &high);
    spread.low = values[low];
    spread.high = values[high];
    return spread;
}

static double log_choose(size_t of, size_t some)
{
    return lgamma((double)of + 1) - lgamma((double)some + 1) - lgamma((double)(of - some) + 1);
}

double results_fisher(size_t marked, size_t of, size_t other_marked, size_t other_of)
{
    const size_t all = marked + other_marked;
    double chance = 0;

    for (size_t i = marked; i <= all && i <= of; ++i)
        if (all - i <= other_of)
            chance += exp(log_choose(of, i) + log_choose(other_of, all - i) - log_choose(of + other_of, all));
    return fmin(1, chance);
}

/* The k-th smallest of n is multiplied by n - k + 1, and is never less than a smaller one. Of equal ones the first gets
 * the largest factor, and the others may not be less: so it is enough to count those that are smaller. */
void results_holm(const double *chances, size_t count, double *adjusted)
{
    for (size_t i = 0; i < count; ++i) {
        adjusted[i] = 0;
        for (size_t j = 0; j < count; ++j) {
            size_t smaller = 0;
            if (chances[j] > chances[i])
                continue;
            for (size_t k = 0; k < count; ++k)
                smaller += chances[k] < chances[j];
            adjusted[i] = fmax(adjusted[i], fmin(1, chances[j] * (double)(count - smaller)));
        }
    }
}
