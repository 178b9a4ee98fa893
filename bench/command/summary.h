/* From the cells to what is said about them: medians, spreads, ratios, targets, and whether to believe it. */
#ifndef BENCH_SUMMARY_H
#define BENCH_SUMMARY_H

#include "tally.h"

struct cJSON;

/* A median of ratios, pair by pair; pairs 0: unknown, and the median NaN. */
struct ratio {
    double median;
    size_t pairs;
    double low, high; /* 95 % interval of the median; NaN: too few pairs for one */
};

/* "reached" or "not reached"; with "perhaps" before it where the interval is on both sides of the bound, or not known.
 */
const char *ratio_verdict(const struct ratio *, double bound, bool at_most);

struct summary_row {
    const struct tally_row *row;
    size_t figures;           /* cells that are some */
    double median, low, high; /* over blocks; NaN without any, and when one cell failed */
    double bytes_per_second;  /* median; NaN: has none */
    double p99;               /* of all blocks' samples together; NaN: not enough of them */
    struct ratio limit;       /* to limit_name, measured in the same block and placement */
    const char *limit_name;   /* "line", "bare ring", or NULL: it has none here */
    struct ratio fifo, tcp;   /* how many times better than the same row of fifo, of tcp */
};

/* out has room for one a row of the tally. 0, -ENOMEM. */
int summary_make(const struct tally *, struct summary_row *out);

/* What keeps the figures from being fit to publish: a sentence each, in text, up to NUL; empty: nothing. sums: of all
 * sessions of the run. */
struct session_sums;
void summary_doubts(const struct tally *, const struct session_sums *sums, const char *flags, char *text,
                    size_t text_size);

enum { SUMMARY_FEWEST_PAIRS = 10 }; /* for a verdict */

#endif
