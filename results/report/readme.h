/* The figures of a README: what is between two marks in it is made from result files, and made again by one command. */
#ifndef REPORT_README_H
#define REPORT_README_H

#include "chart.h"
#include "report.h"

#define README_BEGIN "<!-- figures: written by ipcmark report --readme -->"
#define README_END   "<!-- figures: end -->"

/* The charts that a README shows: the first of latency, the first of throughput. Returns how many, at most 2. */
size_t readme_charts(const struct chart *charts, size_t count, const struct chart *out[2]);

/* readme_link is the way from the folder of `readme` to `folder`, as a link in it has it ("" if that is the same).
 * Owned by the caller; NULL if one of the two is not there, or memory ran out. */
char *readme_link(const char *readme, const char *folder);

/* readme_text is `old` with new figures between the marks; `link` leads to the folder of its pictures. Owned by the
 * caller; NULL if memory ran out, or with *why if the marks are not there. */
char *readme_text(const char *old, const struct report *report, const struct chart *const *charts, size_t count,
                  const char *link, const char **why);

#endif
