/* What is said of a report in words, the same in page, text and tables. */
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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

struct sentence report_limit(const struct report *report, size_t run, const char *name)
{
    struct sentence sentence;
    if (report->rows.run_count > 1)
        snprintf(sentence.text, sizeof sentence.text, "limit: %s (%.60s)", name, report->rows.runs[run].label);
    else
        snprintf(sentence.text, sizeof sentence.text, "limit: %s", name);
    return sentence;
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
