/* A report, and its page as a parser sees it. */
#ifndef RESULTS_TESTS_DOCUMENT_H
#define RESULTS_TESTS_DOCUMENT_H

#include "report/report.h"

#include <libxml/HTMLparser.h>
#include <libxml/xpath.h>

struct document {
    struct results_run runs[2];
    struct report report;
    char *text;
    htmlDocPtr html;
    xmlXPathContextPtr paths;
};

/* From one file or two, from two texts or one (second may be NULL). Filled in place: the report points into the runs.
 */
void document_read(struct document *document, const char *first, const char *second);
void document_parse(struct document *document, const char *first, const char *second);
void document_free(struct document *document);

/* How many nodes of the page an XPath finds. */
int document_count(const struct document *document, const char *path, ...) __attribute__((format(printf, 2, 3)));

#endif
