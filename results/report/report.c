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

bool report_turned(const struct report *report)
{
    enum { SIDE_BY_SIDE = 6 };
    return report->driver_count > SIDE_BY_SIDE;
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

struct results_spread report_idle(const struct report *report, const char *label)
{
    for (size_t i = 0; i < report->rows.count; ++i) {
        const struct results_row *row = &report->rows.rows[i];
        struct results_spread idle;
        if (strcmp(row->family, "cost") != 0 || strcmp(row->label, label) != 0 || !results_row_figure(row))
            continue;
        idle = results_row_metric(row, "idle_cpu_share");
        if (idle.count > 0)
            return idle;
    }
    return (struct results_spread){0, NAN, NAN, NAN, false};
}
