/* What is said of a row, wherever it is said: its figure, how far it is from the machine's limit, and how many times
 * better than pipes, TCP and the first run. */
#ifndef REPORT_FIGURES_H
#define REPORT_FIGURES_H

#include "../analysis/compare.h"
#include "families.h"

enum { FIGURES_RIVALS = 2 };
extern const char *const figures_rivals[FIGURES_RIVALS]; /* the drivers that everything is compared with: fifo, tcp */

struct row_figures {
    struct results_spread value; /* of the family's first measure; count 0: none */
    double tail;                 /* of all samples together, 99 % were faster; NAN: too few samples, or no times */
    struct results_limit limit;  /* the tightest bound; distance.spread.count is 0: none was measured */
    struct results_limit share;  /* the suite's own part in it, likewise */
    struct results_spread better[FIGURES_RIVALS]; /* how many times better than the rival: count 0: no pairs */
    struct results_ratio first;                   /* how many times better than the same in the first run */
};

/* Of one measure of a row; of a family that is not known there is nothing. */
struct row_figures figures_of(const struct results_rows *rows, const struct results_row *row, const char *metric);

/* How many times better a row is than another. */
struct results_ratio figures_better(const struct results_rows *rows, const struct results_row *row,
                                    const struct results_row *base, const char *metric);

/* The first of a row's measures that is in its cells; the family's first if none is. */
const char *figures_metric(const struct results_row *row);

#endif
