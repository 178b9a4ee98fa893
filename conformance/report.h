/* How results are shown. */
#ifndef REPORT_H
#define REPORT_H

#include <stdio.h>

#include "result.h"

/* What is not in the results themselves. */
typedef struct report_options {
    bool colour;
    int width; /* of the page, in characters; 0: 120 */
    uint64_t seed;
    effort effort;
    unsigned rounds;     /* of --repeat */
    bool details;        /* the paragraphs on failures: every line of the detail, not only the first ones */
    const char *command; /* that reproduces the run, or NULL */
} report_options;

/* The table implementations x clauses, a paragraph for each result that needs a look, and a sum. */
void report_table(FILE *, const result_list *, const report_options *);
/* The same for people who publish: GitHub's Markdown. */
void report_markdown(FILE *, const result_list *, const report_options *);
/* A line for a case that has just ended, for logs. */
void report_line(FILE *, const result *, size_t number, size_t planned);
/* Test Anything Protocol 14: the plan, then a result each. */
void report_tap_plan(FILE *, size_t planned);
void report_tap(FILE *, const result *, size_t number);
void report_tap_bail_out(FILE *, const char *why, bool planned); /* planned: behind the plan */
/* JUnit XML, as CI services read it: a suite for each driver. */
int report_junit(const char *path, const result_list *);

/* ---- parts of these ---------------------------------------------------------------------------------------------- */

enum { REPORT_DRIVERS = 32, REPORT_FIGURES = 256 };

/* The paragraphs on what needs a look: report_details.c. */
void report_details(FILE *, const result_list *, const report_options *);
/* How many results, rounds of a clause or clauses of an implementation, say the same as this one, and are told with it;
 * 0: an earlier one tells of it. */
size_t report_same(const result_list *, size_t index);

/* Text of so many characters, cut off with an ellipsis and padded with spaces: report_text.c. */
void report_column(FILE *, const char *text, int width);
int report_length(const char *text); /* in characters, of UTF-8 */
/* Wrapped between words; each line begins with `indent` spaces. */
void report_wrapped(FILE *, const char *text, int indent, int width);
void report_coloured(FILE *, const report_options *, verdict, const char *text, int width);

#endif
