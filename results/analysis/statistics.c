#include "statistics.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* How many of the smallest (and of the largest) of n values the 95 % interval of the median leaves out; -1 if n is too
 * small. The number of values below the true median is binomial with 1/2, so k are left out while P(X <= k - 1) <= 2.5
 * %. */
static int interval_rank(size_t n)
{
    double term = pow(0.5, (double)n), sum = 0;
    int rank = -1;
    for (size_t k = 0; k < n; ++k) {
        sum += term;
        if (sum > 0.025)
            break;
        rank = (int)k;
        term *= (double)(n - k) / (double)(k + 1);
    }
    return rank;
}

struct results_spread results_spread(double *values, size_t count)
{
    struct results_spread spread = {.count = count, .median = NAN, .low = NAN, .high = NAN};
    /* 0.5^1000 is near the smallest double: beyond it the sum above is no longer exact. */
    int rank = count <= 1000 ? interval_rank(count) : (int)(0.5 * (double)count - 0.98 * sqrt((double)count));
    size_t skip = rank < 0 ? 0 : (size_t)rank;
    if (count == 0)
        return spread;
    qsort(values, count, sizeof *values, compare);
    spread.median = (values[(count - 1) / 2] + values[count / 2]) / 2;
    spread.low = values[skip];
    spread.high = values[count - 1 - skip];
    spread.interval = rank >= 0;
    return spread;
}
