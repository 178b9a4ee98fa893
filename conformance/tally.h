/* What results come to, an implementation at a time: a clause counts once, with the worst verdict of its rounds. */
#ifndef TALLY_H
#define TALLY_H

#include "result.h"

typedef struct tally {
    size_t clauses;                    /* judged, or skipped */
    size_t by_verdict[VERDICT_COUNT];  /* of them */
    size_t must_broken, should_broken; /* fail or xpass, by level */
    size_t excused;                    /* of these: do not count for the exit code */
    verdict worst;
} tally;

void tally_take(tally *, const result_list *, const char *driver);
/* How many clauses the contract has. */
size_t tally_contract(void);
/* The drivers in the order in which they were tested; returns how many. */
size_t tally_drivers(const result_list *, const char **drivers, size_t room);

/* What stands in a table: "pass", "fail 3/20", "skip: peers", or "" where nothing was judged. Returns the verdict. */
verdict tally_cell(const result_list *, const char *driver, const clause *, char *text, size_t size);
/* "FAILS: 30 of 54 clauses pass, 3 MUST and 1 SHOULD fail, 20 skipped" */
void tally_sentence(const tally *, char *text, size_t size);

/* Figures that have the same clause, name and unit. */
typedef struct tally_figure {
    const clause *clause;
    const char *name, *unit; /* of the results */
} tally_figure;

/* All there are, in the order of the contract; returns how many. */
size_t tally_figures(const result_list *, tally_figure *, size_t room);
/* The median over a driver's rounds. false: it has none. */
bool tally_figure_median(const result_list *, const char *driver, const tally_figure *, double *out);
/* "153 µs", "1.2 MiB", "17 messages": so that a reader need not count zeros. */
void tally_figure_text(double value, const char *unit, char *text, size_t size);

#endif
