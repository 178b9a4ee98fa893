#include "report.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int add_driver(struct report *report, const char *name)
{
    const char **grown;
    if (name == NULL || strcmp(name, "limit") == 0 || report_style(report, name) >= 0)
        return 0;
    grown = reallocarray(report->drivers, report->driver_count + 1, sizeof *grown);
    if (grown == NULL)
        return -ENOMEM;
    report->drivers = grown;
    grown[report->driver_count++] = name;
    return 0;
}

/* Headers name drivers without parameters, records with them: the records are what counts, in the order of the header.
 */
static int add_drivers(struct report *report)
{
    int error = 0;
    for (size_t i = 0; i < report->matrix.driver_count && error == 0; ++i)
        error = add_driver(report, report->matrix.drivers[i]);
    for (size_t r = 0; r < report->run_count && error == 0; ++r) {
        const cJSON *driver;
        cJSON_ArrayForEach(driver, cJSON_GetObjectItemCaseSensitive(report->runs[r].header, "drivers"))
        {
            const char *name = results_string(driver, "name");
            for (size_t i = 0; name && i < report->rows.count && error == 0; ++i)
                if (strcmp(report->rows.rows[i].driver, name) == 0)
                    error = add_driver(report, report->rows.rows[i].driver);
        }
    }
    for (size_t i = 0; i < report->rows.count && error == 0; ++i)
        if (strncmp(report->rows.rows[i].family, "target-", 7) != 0) /* those have transports, bare as limits are */
            error = add_driver(report, report->rows.rows[i].driver);
    return error;
}

static int make_title(struct report *report)
{
    bool conformance = report_has(report, "conformance"), bench = report_has(report, "bench");
    size_t size;
    FILE *title = open_memstream(&report->own_title, &size);
    if (title == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < report->driver_count; ++i) {
        const char *before = i == 0 ? "" : i + 1 == report->driver_count ? " and " : ", ";
        fprintf(title, "%s%s", before, report->drivers[i]);
    }
    fprintf(title, "%s%s", report->driver_count ? ": " : "",
            conformance && bench ? "conformance and benchmarks"
            : conformance        ? "conformance"
                                 : "benchmarks");
    if (fclose(title) == EOF)
        return -ENOMEM;
    report->title = report->own_title;
    return 0;
}

int report_build(struct report *report, const struct results_run *runs, size_t run_count, const char *title)
{
    int error;
    *report = (struct report){.title = title, .runs = runs, .run_count = run_count};
    error = results_matrix_build(&report->matrix, runs, run_count);
    if (error == 0)
        error = results_rows_build(&report->rows, runs, run_count);
    if (error == 0)
        error = add_drivers(report);
    if (error == 0 && title == NULL)
        error = make_title(report);
    if (error)
        report_free(report);
    return error;
}

void report_free(struct report *report)
{
    results_matrix_free(&report->matrix);
    results_rows_free(&report->rows);
    free(report->drivers);
    free(report->own_title);
    *report = (struct report){0};
}

int report_style(const struct report *report, const char *driver)
{
    for (size_t i = 0; i < report->driver_count; ++i)
        if (strcmp(report->drivers[i], driver) == 0)
            return (int)i;
    return -1;
}

int report_index(const struct report *report, const char *driver)
{
    for (size_t i = 0; i < report->matrix.driver_count; ++i)
        if (strcmp(report->matrix.drivers[i], driver) == 0)
            return (int)i;
    return -1;
}

bool report_has(const struct report *report, const char *kind)
{
    for (size_t i = 0; i < report->run_count; ++i)
        if (strcmp(results_header(&report->runs[i], "kind"), kind) == 0)
            return true;
    return false;
}

bool report_cut_short(const struct report *report, const char *kind)
{
    for (size_t i = 0; i < report->run_count; ++i)
        if (strcmp(results_header(&report->runs[i], "kind"), kind) == 0 && results_run_cut_short(&report->runs[i]))
            return true;
    return false;
}

const struct results_row *report_key_row(const struct report *report, const char *driver, const char *family)
{
    /* Rows are sorted by size, so the first 1x1 row of the family names the shape for every driver. */
    for (size_t i = 0; i < report->rows.count; ++i) {
        const struct results_row *row = &report->rows.rows[i];
        if (strcmp(row->family, family) == 0 && row->first->publishers == 1 && row->first->subscribers == 1)
            return results_rows_find(&report->rows, driver, row->shape);
    }
    return NULL;
}

const struct results_row *report_peak(const struct report *report, const char *driver)
{
    const struct results_row *best = NULL;
    double most = 0;
    for (size_t i = 0; i < report->rows.count; ++i) {
        const struct results_row *row = &report->rows.rows[i];
        double rate;
        if (strcmp(row->driver, driver) != 0 || strcmp(row->family, "throughput") != 0 || !results_row_figure(row) ||
            row->first->publishers != 1 || row->first->subscribers != 1)
            continue;
        rate = results_row_metric(row, "bytes_per_second").median;
        if (rate > most) {
            most = rate;
            best = row;
        }
    }
    return best;
}

/* Appends "2 fail (KILL-001, KILL-002)" for the clauses of one verdict, if there are any. */
static void append_verdict(const struct report *report, size_t driver, enum results_verdict verdict, const char *word,
                           struct sentence *out)
{
    const struct results_matrix *matrix = &report->matrix;
    size_t count = results_matrix_count(matrix, driver, verdict), used = strlen(out->text), named = 0;
    if (count == 0)
        return;
    used += (size_t)snprintf(out->text + used, sizeof out->text - used, "; %zu %s", count, word);
    for (size_t clause = 0; clause < matrix->clause_count && used + 32 < sizeof out->text; ++clause)
        if (results_matrix_square(matrix, clause, driver)->verdict == verdict && named++ < 4)
            used += (size_t)snprintf(out->text + used, sizeof out->text - used, "%s%.12s", named == 1 ? " (" : ", ",
                                     matrix->clauses[clause].id);
    if (used + 8 < sizeof out->text)
        snprintf(out->text + used, sizeof out->text - used, named > 4 ? ", …)" : ")");
}

struct sentence report_verdict(const struct report *report, size_t driver)
{
    struct sentence out;
    size_t passed = results_matrix_count(&report->matrix, driver, RESULTS_PASS);
    size_t skipped = results_matrix_count(&report->matrix, driver, RESULTS_SKIP);
    size_t absent = results_matrix_count(&report->matrix, driver, RESULTS_NOT_RUN);
    size_t judged = report->matrix.clause_count - skipped - absent;
    const char *so_far = report_cut_short(report, "conformance") ? " so far" : "";
    if (passed == judged && judged > 0)
        snprintf(out.text, sizeof out.text, "all %zu clauses hold%s", judged, so_far);
    else
        snprintf(out.text, sizeof out.text, "%zu of %zu clauses hold%s", passed, judged, so_far);
    append_verdict(report, driver, RESULTS_FAIL, "broken", &out);
    append_verdict(report, driver, RESULTS_ERROR, "could not be judged: harness error", &out);
    append_verdict(report, driver, RESULTS_XPASS, "no longer as expected", &out);
    append_verdict(report, driver, RESULTS_UNKNOWN, "unknown", &out);
    append_verdict(report, driver, RESULTS_XFAIL, "broken as expected", &out);
    if (skipped)
        snprintf(out.text + strlen(out.text), sizeof out.text - strlen(out.text), "; %zu skipped", skipped);
    return out;
}

struct sentence report_progress(const struct results_run *run)
{
    struct sentence out;
    size_t records = run->case_count + run->cell_count;
    double planned = results_planned(run);
    if (isnan(planned))
        snprintf(out.text, sizeof out.text, "%zu", records);
    else
        snprintf(out.text, sizeof out.text, "%zu of %.0f planned", records, planned);
    return out;
}

struct sentence report_placements(const struct results_row *rows, size_t count)
{
    static const char *const classes[] = {"siblings", "cluster", "distant", "mixed"};
    struct sentence out = {""};
    size_t used = 0;
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; ++i) {
        size_t cells = 0;
        for (size_t r = 0; r < count; ++r)
            cells += results_row_placements(&rows[r], classes[i]);
        if (cells)
            used += (size_t)snprintf(out.text + used, sizeof out.text - used, "%s%zu %s", used ? ", " : "", cells,
                                     classes[i]);
    }
    if (used == 0)
        snprintf(out.text, sizeof out.text, "not known");
    return out;
}
