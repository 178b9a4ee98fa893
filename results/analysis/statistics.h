/* Medians and how sure they are. */
#ifndef RESULTS_STATISTICS_H
#define RESULTS_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>

struct results_spread {
    size_t count;
    double median, low, high; /* NAN without values */
    bool interval;            /* low and high hold the median with 95 %; otherwise they are the smallest and largest */
};

/* results_spread sorts the values and returns their median with its exact 95 % interval (order statistics, no
 * assumption on the distribution). Fewer than 6 values have no such interval; then it gives their range. NANs must not
 * be among them. */
struct results_spread results_spread(double *values, size_t count);

#endif
