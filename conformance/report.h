/* How results are shown. */
#ifndef REPORT_H
#define REPORT_H

#include <stdio.h>

#include "result.h"

/* What is not in the results themselves. */
typedef struct report_options {
    bool colour;
    uint64_t seed;
    unsigned rounds; /* of --repeat */
    bool details;    /* the paragraphs on failures: every line of the detail, not only the first ones */
} report_options;

/* The table implementations x clauses, a paragraph for each result that needs a look, and a sum. */
void report_table(FILE *, const result_list *, const report_options *);
/* A line for a case that has just ended, for logs. */
void report_line(FILE *, const result *, size_t number, size_t planned);
/* Test Anything Protocol 14: the plan, then a result each. */
void report_tap_plan(FILE *, size_t planned);
void report_tap(FILE *, const result *, size_t number);
/* JUnit XML, as CI services read it: a suite for each driver. */
int report_junit(const char *path, const result_list *);

#endif
