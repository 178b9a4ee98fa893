/* Wilcoxon's signed-rank test, and the estimate that belongs to it. */
#include "statistics.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

struct difference {
    double size;
    bool positive;
    size_t rank; /* twice its rank, which the mean of two neighbours' makes a whole number */
};

static int compare(const void *left, const void *right)
{
    const struct difference *a = left, *b = right;
    return (a->size > b->size) - (a->size < b->size);
}

static size_t take(struct difference *out, const double *values, size_t count)
{
    size_t taken = 0;
    for (size_t i = 0; i < count; ++i)
        if (values[i] != 0)
            out[taken++] = (struct difference){.size = fabs(values[i]), .positive = values[i] > 0};
    qsort(out, taken, sizeof *out, compare);
    return taken;
}

/* Equal ones from number `begin` up to `end` have the ranks begin + 1 to end: twice their mean is the sum of the two.
 */
static void rank(struct difference *differences, size_t count)
{
    for (size_t begin = 0, end; begin < count; begin = end) {
        for (end = begin + 1; end < count && differences[end].size <= differences[begin].size;)
            ++end;
        for (size_t i = begin; i < end; ++i)
            differences[i].rank = begin + 1 + end;
    }
}

/* chances[s]: that the ranks with a plus add up to s, when each has one with 1/2. One rank more: either it has none,
 * and the sum was s before, or it has one, and the sum was less by it. */
static void distribute(double *chances, const struct difference *differences, size_t count)
{
    size_t most = 0;
    chances[0] = 1;
    for (size_t i = 0; i < count; ++i) {
        most += differences[i].rank;
        for (size_t sum = most + 1; sum-- > 0;)
            chances[sum] = (chances[sum] + (sum >= differences[i].rank ? chances[sum - differences[i].rank] : 0)) / 2;
    }
}

static double add(const double *chances, size_t from, size_t to)
{
    double sum = 0;
    for (size_t i = from; i <= to; ++i)
        sum += chances[i];
    return fmin(sum, 1);
}

int results_signed_ranks(struct results_signed_ranks *out, const double *differences, size_t count)
{
    struct difference *ranked = calloc(count + 1, sizeof *ranked);
    size_t taken = ranked ? take(ranked, differences, count) : 0, most = taken * (taken + 1), positive = 0;
    double *chances = calloc(most + 1, sizeof *chances);
    int error = ranked == NULL || chances == NULL ? -ENOMEM : 0;
    if (error)
        goto out;
    rank(ranked, taken);
    distribute(chances, ranked, taken);
    for (size_t i = 0; i < taken; ++i)
        positive += ranked[i].positive ? ranked[i].rank : 0;
    *out = (struct results_signed_ranks){.count = taken,
                                         .zeros = count - taken,
                                         .positive = (double)positive / 2,
                                         .greater = add(chances, positive, most),
                                         .less = add(chances, 0, positive)};
out:
    free(ranked);
    free(chances);
    return error;
}

/* Moves the values until all before number `rank` are no larger than it, and all behind it no smaller (Hoare, 1961): an
 * interval takes thousands of shifts, each of thousands of means, and sorting these would be most of a gate's work. */
static double select_rank(double *values, size_t count, size_t rank)
{
    size_t low = 0, high = count - 1;
    while (low < high) {
        const double pivot = values[low + (high - low) / 2];
        size_t left = low, right = high + 1;
        for (;; ++left) {
            while (values[left] < pivot)
                ++left;
            do
                --right;
            while (values[right] > pivot);
            if (left >= right)
                break;
            const double kept = values[left];
            values[left] = values[right];
            values[right] = kept;
        }
        low = rank > right ? right + 1 : low;
        high = rank > right ? high : right;
    }
    return values[rank];
}

int results_shift(double *out, const double *values, size_t count)
{
    double *means = calloc(count * (count + 1) / 2 + 1, sizeof *means);
    size_t made = 0;
    if (means == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; ++i)
        for (size_t j = i; j < count; ++j)
            means[made++] = (values[i] + values[j]) / 2;
    *out = made == 0 ? NAN : (select_rank(means, made, (made - 1) / 2) + select_rank(means, made, made / 2)) / 2;
    free(means);
    return 0;
}
