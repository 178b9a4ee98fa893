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
    struct results_limit limit;  /* the tightest that nobody beat; distance.spread.count is 0: there is none */
    struct results_limit beaten[RESULTS_LIMITS]; /* those that this very row beat, surely */
    size_t beaten_count;
    struct results_limit share;                   /* the suite's own part in it, likewise */
    struct results_spread better[FIGURES_RIVALS]; /* how many times better than the rival: count 0: no pairs */
    struct results_ratio first;                   /* how many times better than the same in the first run */
};

/* Of one measure of a row; of a family that is not known there is nothing. */
struct row_figures figures_of(const struct results_rows *rows, const struct results_row *row, const char *metric);

/* How many times better a row is than another. */
struct results_ratio figures_better(const struct results_rows *rows, const struct results_row *row,
                                    const struct results_row *base, const char *metric);

struct figures_words {
    char text[320];
};

/* "2.4 × (2.3–2.6)"; with a single pair there is nothing between two ends. */
struct figures_words figures_ratio(const struct results_spread *ratio);

/* "beats futex by 1.18 × (1.10–1.25)": a limit that is none for this row. */
struct figures_words figures_beats(const struct results_limit *beaten);

/* The first of a row's measures that is in its cells; the family's first if none is. */
const char *figures_metric(const struct results_row *row);

#endif
