#include "report.h"

#include "families.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int add_driver(struct report *report, const char *label, const char *name)
{
    struct report_driver *grown;
    if (strcmp(name, "limit") == 0 || report_style(report, label) >= 0)
        return 0;
    grown = reallocarray(report->drivers, report->driver_count + 1, sizeof *grown);
    if (grown == NULL)
        return -ENOMEM;
    report->drivers = grown;
    grown[report->driver_count++] = (struct report_driver){label, name};
    return 0;
}

/* Target rows have transports, bare as limits are. */
static bool has_own_figures(const struct results_row *row)
{
    return strncmp(row->family, "target-", 7) != 0;
}

/* All rows of a driver, run by run; true if there are any. */
static int add_labels(struct report *report, const char *name, bool *found)
{
    int error = 0;
    for (size_t run = 0; run < report->rows.run_count; ++run)
        for (size_t i = 0; i < report->rows.count && error == 0; ++i) {
            const struct results_row *row = &report->rows.rows[i];
            if (row->run != run || strcmp(row->driver, name) != 0 || !has_own_figures(row))
                continue;
            error = add_driver(report, row->label, row->driver);
            *found = true;
        }
    return error;
}

/* Headers name drivers, records have rows of them: the records are what counts, in the order of the header. */
static int add_drivers(struct report *report)
{
    bool found;
    int error = 0;
    for (size_t i = 0; i < report->matrix.driver_count && error == 0; ++i) {
        const char *name = report->matrix.drivers[i];
        found = false;
        error = add_labels(report, name, &found);
        if (!found && error == 0)
            error = add_driver(report, name, name);
    }
    for (size_t r = 0; r < report->run_count && error == 0; ++r) {
        const cJSON *driver;
        cJSON_ArrayForEach(driver, cJSON_GetObjectItemCaseSensitive(report->runs[r].header, "drivers"))
        {
            const char *name = results_string(driver, "name");
            if (name && error == 0)
                error = add_labels(report, name, &found);
        }
    }
    for (size_t i = 0; i < report->rows.count && error == 0; ++i)
        if (has_own_figures(&report->rows.rows[i]))
            error = add_driver(report, report->rows.rows[i].label, report->rows.rows[i].driver);
    return error;
}

/* Once: an interval that comes from drawing blocks anew takes its time. */
static int make_figures(struct report *report)
{
    report->figures = calloc(report->rows.count + 1, sizeof *report->figures);
    if (report->figures == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < report->rows.count; ++i)
        report->figures[i] = figures_of(&report->rows, &report->rows.rows[i], figures_metric(&report->rows.rows[i]));
    return 0;
}

static size_t family_rank(const struct results_row *row)
{
    size_t rank = 0;
    while (families[rank].name && strcmp(families[rank].name, row->family) != 0)
        ++rank;
    return rank + (strcmp(row->driver, "limit") == 0 ? 1 : 0);
}

/* "limit/bare-ring/1KiB": the length up to the size. */
static int limit_length(const struct results_row *row)
{
    const char *name = strchr(row->name, '/');
    return (int)(name ? name + 1 + strcspn(name + 1, "/") - row->name : 0);
}

/* Families as everywhere in the report, the machine's limits last, each with its sizes; implementations likewise. */
static int compare_rows(const void *left, const void *right, void *context)
{
    const struct results_row *a = *(const struct results_row *const *)left;
    const struct results_row *b = *(const struct results_row *const *)right;
    size_t rank_a = family_rank(a), rank_b = family_rank(b);
    int order = (rank_a > rank_b) - (rank_a < rank_b);
    if (order == 0 && strcmp(a->driver, "limit") == 0)
        order = limit_length(a) == limit_length(b) ? strncmp(a->name, b->name, (size_t)limit_length(a))
                                                   : strcmp(a->name, b->name);
    if (order == 0 && strcmp(a->shape, b->shape) == 0)
        order = report_style(context, a->label) - report_style(context, b->label);
    return order ? order : (a > b) - (a < b);
}

static int make_order(struct report *report)
{
    report->order = calloc(report->rows.count + 1, sizeof *report->order);
    if (report->order == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < report->rows.count; ++i)
        report->order[i] = &report->rows.rows[i];
    if (report->rows.count)
        qsort_r(report->order, report->rows.count, sizeof *report->order, compare_rows, report);
    return 0;
}

const struct row_figures *report_figures(const struct report *report, const struct results_row *row)
{
    return &report->figures[row - report->rows.rows];
}

/* Several runs of one driver are one name. */
static bool named_before(const struct report *report, size_t driver)
{
    for (size_t i = 0; i < driver; ++i)
        if (strcmp(report->drivers[i].name, report->drivers[driver].name) == 0)
            return true;
    return false;
}

static int make_title(struct report *report)
{
    bool conformance = report_has(report, "conformance"), bench = report_has(report, "bench");
    size_t size, left = 0, said = 0;
    FILE *title = open_memstream(&report->own_title, &size);
    if (title == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < report->driver_count; ++i)
        left += !named_before(report, i);
    for (size_t i = 0; i < report->driver_count; ++i)
        if (!named_before(report, i)) {
            fprintf(title, "%s%s", said++ == 0 ? "" : left == 1 ? " and " : ", ", report->drivers[i].name);
            --left;
        }
    fprintf(title, "%s%s", report->driver_count ? ": " : "",
            conformance && bench ? "conformance and benchmarks"
            : conformance        ? "conformance"
                                 : "benchmarks");
    if (report->rows.run_count > 1)
        fprintf(title, ", %zu runs", report->rows.run_count);
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
        error = make_figures(report);
    if (error == 0)
        error = add_drivers(report);
    if (error == 0)
        error = make_order(report);
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
    free(report->figures);
    free(report->order);
    free(report->drivers);
    free(report->own_title);
    *report = (struct report){0};
}

int report_style(const struct report *report, const char *label)
{
    for (size_t i = 0; i < report->driver_count; ++i)
        if (strcmp(report->drivers[i].label, label) == 0)
            return (int)i;
    return -1;
}

int report_index(const struct report *report, const struct report_driver *driver)
{
    for (size_t i = 0; i < report->matrix.driver_count; ++i)
        if (strcmp(report->matrix.drivers[i], driver->name) == 0)
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

const struct results_row *report_key_row(const struct report *report, const char *label, const char *family)
{
    /* Rows are sorted by size, so the first 1x1 row of the family names the shape for every driver. */
    for (size_t i = 0; i < report->rows.count; ++i) {
        const struct results_row *row = &report->rows.rows[i];
        if (strcmp(row->family, family) == 0 && row->first->publishers == 1 && row->first->subscribers == 1)
            return results_rows_find(&report->rows, label, row->shape);
    }
    return NULL;
}

static bool family_streams(const char *family)
{
    return strcmp(family, "throughput") == 0 || strcmp(family, "size") == 0;
}

const struct results_row *report_peak(const struct report *report, const char *label)
{
    const struct results_row *best = NULL;
    double most = 0;
    for (size_t i = 0; i < report->rows.count; ++i) {
        const struct results_row *row = &report->rows.rows[i];
        double rate;
        if (strcmp(row->label, label) != 0 || !family_streams(row->family) || !results_row_figure(row) ||
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

const char *report_effort(const struct report *report)
{
    for (size_t i = 0; i < report->run_count; ++i) {
        const struct results_run *run = &report->runs[i];
        const char *effort = results_header(run, "effort");
        if (strcmp(results_header(run, "kind"), "conformance") != 0)
            continue;
        /* Older files say it in their command only. */
        if (strcmp(effort, "quick") == 0 || (*effort == '\0' && strstr(results_header(run, "command"), " --quick")))
            return " (quick)";
    }
    return "";
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
    const char *so_far = report_cut_short(report, "conformance") ? " so far" : "", *effort = report_effort(report);
    if (passed == judged && judged > 0)
        snprintf(out.text, sizeof out.text, "all %zu clauses hold%s%s", judged, so_far, effort);
    else
        snprintf(out.text, sizeof out.text, "%zu of %zu clauses hold%s%s", passed, judged, so_far, effort);
    append_verdict(report, driver, RESULTS_FAIL, "broken", &out);
    append_verdict(report, driver, RESULTS_ERROR, "could not be judged: harness error", &out);
    append_verdict(report, driver, RESULTS_XPASS, "no longer as expected", &out);
    append_verdict(report, driver, RESULTS_UNKNOWN, "unknown", &out);
    append_verdict(report, driver, RESULTS_XFAIL, "broken as expected", &out);
    if (skipped)
        snprintf(out.text + strlen(out.text), sizeof out.text - strlen(out.text), "; %zu skipped", skipped);
    return out;
}

struct sentence report_where(const struct results_run *run)
{
    const cJSON *environment = results_object(run->header, "environment");
    const char *cpu = results_string(environment, "cpu"), *os = results_string(environment, "os");
    const char *commit = results_string(environment, "commit");
    double cpus = results_number(environment, "cpus");
    struct sentence out;
    size_t used = (size_t)snprintf(out.text, sizeof out.text, "%.10s", results_header(run, "started"));
    if (cpu)
        used += (size_t)snprintf(out.text + used, sizeof out.text - used, " · %.60s", cpu);
    if (!isnan(cpus))
        used += (size_t)snprintf(out.text + used, sizeof out.text - used, ", %.0f CPUs", cpus);
    if (os)
        used += (size_t)snprintf(out.text + used, sizeof out.text - used, " · %.60s", os);
    used += (size_t)snprintf(out.text + used, sizeof out.text - used, " · ipcmark %.30s",
                             results_header(run, "suite_version"));
    if (commit)
        snprintf(out.text + used, sizeof out.text - used, ", commit %.40s", commit);
    return out;
}

static struct sentence labelled_where(const struct report *report, size_t number)
{
    struct sentence where = report_where(&report->runs[number]), out = where;
    for (size_t i = 0; i < report->rows.run_count && report->rows.run_count > 1; ++i)
        if (report->rows.runs[i].first == &report->runs[number])
            snprintf(out.text, sizeof out.text, "%.60s: %.250s", report->rows.runs[i].label, where.text);
    return out;
}

struct sentence report_where_else(const struct report *report, size_t run)
{
    struct sentence out = labelled_where(report, run);
    for (size_t i = 0; i < run; ++i)
        if (strcmp(labelled_where(report, i).text, out.text) == 0)
            return (struct sentence){""};
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
