/* A run in the formats of other tools. Each writes to a stream; what it cannot say is left out and named. */
#ifndef EXPORT_EXPORT_H
#define EXPORT_EXPORT_H

#include "../analysis/rows.h"

#include <stdio.h>

struct export
{
    const struct results_run *run;   /* its header speaks for all shards */
    const struct results_row **rows; /* those that were asked for and fit the format, limits too; only CSV has such as
                                        are no figures */
    size_t row_count;
};

/* The metrics of a row that are its figures, the one that tables show first; NULL ends them. The names are static. */
enum { EXPORT_FIGURES = 16 };
void export_figures(const struct results_row *row, const char *out[EXPORT_FIGURES]);

/* "ns", "messages/s", "bytes", from a metric's name; "" if it has none. */
struct export_unit {
    char text[32];
};
struct export_unit export_unit(const char *metric);

/* A number that reads back as the same one; nothing for NAN. */
struct export_number {
    char text[32];
};
struct export_number export_number(double value);

/* Google Benchmark's JSON: an entry a cell, the blocks of one row as the repetitions of one benchmark, and their
 * median. 0 or -ENOMEM. */
int export_google(FILE *out, const struct export *export);
/* Whether a row has a time, or a rate that is the inverse of one, without which it cannot be a benchmark of Google's.
 */
bool export_google_has(const struct results_row *row);

/* github-action-benchmark's customBiggerIsBetter or customSmallerIsBetter: it takes one of them a file. 0 or -ENOMEM.
 */
int export_github(FILE *out, const struct export *export, bool bigger);

/* Bencher's metric format. 0 or -ENOMEM. */
int export_bencher(FILE *out, const struct export *export);

/* Comma-separated, a line for each figure of each row, or for each number of each cell. */
void export_csv_rows(FILE *out, const struct export *export);
void export_csv_cells(FILE *out, const struct export *export);

/* A histogram of a row, merged over its blocks; which of several: "close", or "". */
struct export_distribution {
    const struct results_row *row;
    const struct results_histogram *histogram;
    const char *name;
};

/* HdrHistogram's percentile distribution; the unit is nanoseconds. */
void export_hgrm(FILE *out, const struct export_distribution *distribution);

/* Into `output` if it is one, or each into a file of its own if `output` is a folder. The exit code; what went wrong
 * was said. */
int export_distributions(const char *output, const struct export *export, bool uncorrected);

#endif
