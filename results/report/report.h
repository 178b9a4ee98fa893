/* What a report is made from: runs, put together. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "../analysis/fitness.h"
#include "../analysis/rows.h"
#include "../analysis/verdicts.h"
#include "figures.h"

struct report {
    const char *title; /* never NULL */
    const struct results_run *runs;
    size_t run_count;
    struct results_matrix matrix;
    struct results_rows rows;
    const struct results_row *
        *order; /* the same rows: families in the order of the report, then by size, `drivers`; limits last */
    struct row_figures *figures; /* of each row, of its headline metric; see report_figures */
    struct report_driver {
        const char *label; /* of its rows: with several runs of one driver "mmipc (base)" */
        const char *name;  /* of the driver, in conformance */
    } * drivers;           /* of all runs, in the order of their headers; the machine's limits are none */
    size_t driver_count;
    char *own_title; /* made from the names of the drivers, if the caller gave none */
};

/* report_build keeps pointers into runs, and title if it is not NULL. 0 or -ENOMEM. */
int report_build(struct report *report, const struct results_run *runs, size_t run_count, const char *title);
void report_free(struct report *report);

/* The whole document, owned by the caller; NULL if memory ran out. */
char *report_html(const struct report *report);
char *report_markdown(const struct report *report);

/* The text for a terminal, and the end of a benchmark. */
char *report_text(const struct report *report);

/* A driver's number in charts and keys, the same all over the report; -1 for the machine's limits. */
int report_style(const struct report *report, const char *label);

/* What is said of one of the report's rows. */
const struct row_figures *report_figures(const struct report *report, const struct results_row *row);

/* Few implementations stand side by side; of more, each is a line in the tables that compare all of them. */
bool report_turned(const struct report *report);

/* report_key_row is the driver's row that speaks for a family: one publisher, one subscriber, the smallest size of the
 * family. NULL if there is none. It may have failed: see results_row_figure. */
const struct results_row *report_key_row(const struct report *report, const char *label, const char *family);

/* report_peak is the driver's 1x1 throughput row with the most bytes a second, or NULL. */
const struct results_row *report_peak(const struct report *report, const char *label);

/* report_idle is what a driver's pair takes of a core while nothing is sent; count 0: it was not measured. */
struct results_spread report_idle(const struct report *report, const char *label);

/* report_index is a driver's column in the matrix, or -1 if no clause was tested. */
int report_index(const struct report *report, const struct report_driver *driver);

/* report_verdict says in words what conformance came to for a driver: "every clause that applies holds (22 of 24)". */
struct sentence {
    char text[320];
};
struct sentence report_verdict(const struct report *report, size_t matrix_driver);

/* " (quick)" if conformance was tried in its shorter way, else "": a verdict without it would promise too much. */
const char *report_effort(const struct report *report);

/* Where and when: "2024-05-01 · Example CPU 3000, 8 CPUs · Debian … · ipcmark 0.1.0 · commit 0123abc". */
struct sentence report_where(const struct results_run *run);

/* The same of each run, with its label where there are several of the benchmark; "" if that was said of one before. */
struct sentence report_where_else(const struct report *report, size_t run);

/* "30 of 72 planned", or only "30" if the header does not say how many. */
struct sentence report_progress(const struct results_run *run);

/* What a limit is called in charts: "limit: memcpy", and with several runs whose. */
struct sentence report_limit(const struct report *report, size_t run, const char *name);

/* In which placements of the CPUs rows were measured, in cells: "3 siblings, 2 distant", or "not known". */
struct sentence report_placements(const struct results_row *rows, size_t count);

/* Whether any run is of this kind, and whether any of those was cut short. */
bool report_has(const struct report *report, const char *kind);
bool report_cut_short(const struct report *report, const char *kind);

#endif
