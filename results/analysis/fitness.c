#include "fitness.h"

#include "compare.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    BLOCKS = 10, /* with as many, the 95 % interval of the median leaves out the lowest and the highest block */
    MIXED_ONE_IN = 10
};
static const double STEAL_SHARE = 0.01, LOAD_SHARE = 0.25;

struct verdict {
    void (*reason)(void *context, const char *text);
    void *context;
    const char *run; /* which, before each reason; NULL: there is one only */
    size_t count;
};

static void against(struct verdict *verdict, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void against(struct verdict *verdict, const char *format, ...)
{
    char text[256];
    int used = verdict->run ? snprintf(text, sizeof text, "%.60s: ", verdict->run) : 0;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, sizeof text - (size_t)used, format, arguments);
    va_end(arguments);
    ++verdict->count;
    if (verdict->reason)
        verdict->reason(verdict->context, text);
}

static bool is_bench(const struct results_run *run)
{
    return strcmp(results_header(run, "kind"), "bench") == 0;
}

bool results_run_cut_short(const struct results_run *run)
{
    double planned = results_planned(run);
    return run->footer == NULL || run->torn ||
           cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(run->footer, "interrupted")) ||
           (double)(run->case_count + run->cell_count) < planned;
}

static void judge_failures(struct verdict *verdict, const struct results_run *run)
{
    size_t failed = 0;
    for (size_t i = 0; i < run->cell_count; ++i)
        failed += run->cells[i].error != NULL;
    if (failed)
        against(verdict, "%zu of %zu cells failed.", failed, run->cell_count);
    if (results_run_cut_short(run))
        against(verdict, "The run was cut short.");
}

/* "unknown" is what a build without git is of. */
static const char *known(const struct results_run *run, const char *name)
{
    const char *text = results_string(results_object(run->header, "environment"), name);
    return text && *text && strcmp(text, "unknown") != 0 ? text : NULL;
}

static double cpus_of(const struct results_run *run)
{
    return results_number(results_object(run->header, "environment"), "cpus");
}

static void judge_environment(struct verdict *verdict, const struct results_run *run)
{
    const char *virtualization = known(run, "virtualization"), *governor = known(run, "governor");
    const char *flags = known(run, "flags"), *commit = known(run, "commit");

    if (virtualization && strcmp(virtualization, "none") != 0)
        against(verdict, "They come from a virtual machine, whose CPUs the hypervisor shares and moves.");
    if (governor && strcmp(governor, "performance") != 0)
        against(verdict, "The CPU frequency was not fixed (governor %.40s).", governor);
    if (flags && strstr(flags, "-O2") == NULL && strstr(flags, "-O3") == NULL)
        against(verdict, "The build is not optimised (%.100s).", flags);
    if (commit && strstr(commit, "dirty"))
        against(verdict, "The sources are not those of a commit, so nobody else can build them.");
}

/* Of a run in several sittings the busiest counts. */
static void judge_load(struct verdict *verdict, const struct results_run *run)
{
    double load = results_number(results_object(run->header, "environment"), "load"), cpus = cpus_of(run);
    for (size_t i = 0; i < run->session_count; ++i)
        load = fmax(load, run->sessions[i].load); /* which leaves out NANs */
    if (load > cpus * LOAD_SHARE)
        against(verdict, "Other work was running: a load of %.1f on %.0f CPUs at the start.", load, cpus);
}

static bool load_unknown(const struct results_run *run)
{
    bool unknown = isnan(results_number(results_object(run->header, "environment"), "load")) || isnan(cpus_of(run));
    for (size_t i = 0; i < run->session_count; ++i)
        unknown = unknown || isnan(run->sessions[i].load);
    return unknown;
}

/* What was taken in the time that all sittings took together. */
static double steal_of(const struct results_run *run)
{
    double seconds = 0, steal_ns = 0, cpus = cpus_of(run);
    for (size_t i = 0; i < run->session_count; ++i) {
        seconds += run->sessions[i].seconds;
        steal_ns += run->sessions[i].steal_ns;
    }
    return seconds > 0 && cpus > 0 ? steal_ns / 1e9 / (seconds * cpus) : NAN;
}

static size_t robbed_cells(const struct results_run *run)
{
    size_t robbed = 0;
    for (size_t i = 0; i < run->cell_count; ++i)
        robbed += run->cells[i].steal_ns > 0;
    return robbed;
}

/* Where nobody wrote down how long the sittings took, any is too much. */
static void judge_steal(struct verdict *verdict, const struct results_run *run)
{
    double share = steal_of(run);
    if (share > STEAL_SHARE)
        against(verdict, "The hypervisor gave %.1f %% of the CPU time to others.", share * 100);
    else if (isnan(share) && robbed_cells(run))
        against(verdict, "The hypervisor took CPU time during %zu of %zu cells.", robbed_cells(run), run->cell_count);
}

static bool steal_unknown(const struct results_run *run)
{
    bool unknown = isnan(steal_of(run)) && robbed_cells(run) == 0, all = true;
    for (size_t i = 0; i < run->cell_count; ++i)
        all = all && !isnan(run->cells[i].steal_ns);
    return unknown && !all;
}

/* What nobody wrote down speaks against the figures as what is wrong does. */
static void judge_unknown(struct verdict *verdict, const struct results_run *run)
{
    const struct {
        bool unknown;
        const char *what;
    } all[] = {
        {known(run, "virtualization") == NULL, "a virtual machine"},
        {known(run, "governor") == NULL, "a CPU frequency that changes"},
        {known(run, "flags") == NULL, "a build without optimisation"},
        {known(run, "commit") == NULL, "sources of no commit"},
        {load_unknown(run), "other load"},
        {steal_unknown(run), "stolen CPU time"},
        {isnan(results_planned(run)), "cells that are missing"},
    };
    char text[200] = "";
    for (size_t i = 0; i < sizeof all / sizeof all[0]; ++i)
        if (all[i].unknown)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", *text ? ", " : "", all[i].what);
    if (*text)
        against(verdict, "Not known, and so not ruled out: %s.", text);
}

static void judge_placements(struct verdict *verdict, const struct results_run *run)
{
    static const char *const classes[] = {"siblings", "cluster", "distant"};
    bool seen[3] = {false};
    size_t mixed = 0, placed = 0;
    for (size_t i = 0; i < run->cell_count; ++i) {
        const char *placement = run->cells[i].placement;
        placed += placement != NULL;
        mixed += placement && strcmp(placement, "mixed") == 0;
        for (int class = 0; class < 3; ++class)
            seen[class] = seen[class] || (placement && strcmp(placement, classes[class]) == 0);
    }
    if (seen[0] + seen[1] + seen[2] > 1)
        against(verdict, "The CPUs were in %d placements: absolute figures mix them, ratios do not.",
                seen[0] + seen[1] + seen[2]);
    if (mixed * MIXED_ONE_IN > placed)
        against(verdict, "The CPUs moved during %zu of %zu cells; they are in no ratio.", mixed, placed);
    if (placed == 0 && run->cell_count > 0)
        against(verdict, "Where the CPUs are to each other could not be measured.");
}

static void judge_blocks(struct verdict *verdict, const struct results_rows *rows, size_t number)
{
    size_t all = 0, few = 0, fewest = BLOCKS, thin = 0, thin_rows = 0, partly = 0;
    for (size_t i = 0; i < rows->count; ++i) {
        const struct results_row *row = &rows->rows[i];
        if (row->run != number || row->not_applicable)
            continue;
        ++all;
        few += row->sample_count < BLOCKS;
        fewest = row->sample_count < fewest ? row->sample_count : fewest;
        thin += row->thin;
        thin_rows += row->thin > 0;
        partly += row->not_applied > 0;
    }
    if (partly)
        against(verdict, "In %zu of %zu rows some cells do not apply, and others do.", partly, all);
    if (few)
        against(verdict, "%zu of %zu rows have as few as %zu block%s; a median that holds needs %d.", few, all, fewest,
                fewest == 1 ? "" : "s", BLOCKS);
    if (thin)
        against(verdict, "%zu cell%s of %zu row%s stood still: less than a tenth of the samples that are usual there.",
                thin, thin == 1 ? "" : "s", thin_rows, thin_rows == 1 ? "" : "s");
}

/* The slowest driver's capacity for messages of that size; and whose it is. */
static double slowest(const struct results_rows *rows, const struct results_row *like, const char **driver)
{
    double least = INFINITY;
    for (size_t i = 0; i < rows->count; ++i) {
        const struct results_row *row = &rows->rows[i];
        double capacity;
        if (row->run != like->run || row->first->size != like->first->size || row->first->publishers != 1 ||
            row->first->subscribers != 1 ||
            (strcmp(row->family, "throughput") != 0 && strcmp(row->family, "size") != 0))
            continue;
        capacity = results_row_metric(row, "messages_per_second").median;
        if (capacity < least) {
            least = capacity;
            *driver = row->driver;
        }
    }
    return least;
}

/* What is queued in front of a driver that can hardly keep up is not the time that a message takes. */
static void judge_rates(struct verdict *verdict, const struct results_rows *rows, size_t number)
{
    double done = NAN;
    for (size_t i = 0; i < rows->count; ++i) {
        const struct results_row *row = &rows->rows[i];
        const char *driver = "";
        double capacity;
        if (row->run != number || strcmp(row->family, "latency") != 0 || row->first->rate == done)
            continue;
        capacity = slowest(rows, row, &driver);
        if (isinf(capacity)) {
            done = row->first->rate;
            against(verdict, "Latency was measured at %.0f messages a second; what the slowest driver can was not.",
                    done);
        } else if (row->first->rate > capacity / 2) {
            done = row->first->rate;
            against(verdict, "Latency was measured at %.0f messages a second, more than half of what %.40s can (%.0f).",
                    done, driver, capacity);
        }
    }
}

/* What must be the same in all runs of one report. Benchmarks that stand side by side may be of two commits or builds:
 * that is what they are compared for. */
struct common {
    const char *what;
    const char *(*text_of)(const struct results_run *run, const char *driver);
    const char *driver;
    bool of_benches, of_conformance;
};

/* The first run that has this text, and then one that has another: both are named. */
static void judge_same(struct verdict *verdict, const struct results_run *runs, size_t run_count,
                       const struct common *common)
{
    const char *first = NULL;
    for (size_t i = 0; i < run_count; ++i) {
        bool asked = is_bench(&runs[i]) ? common->of_benches : common->of_conformance;
        const char *text = asked ? common->text_of(&runs[i], common->driver) : NULL;
        if (first == NULL || text == NULL || strcmp(first, text) == 0) {
            first = first ? first : text;
            continue;
        }
        against(verdict, "Runs of different %.60s are in one report: %.60s and %.60s.", common->what, first, text);
        return;
    }
}

static const char *cpu_of(const struct results_run *run, const char *unused)
{
    (void)unused;
    return results_string(results_object(run->header, "environment"), "cpu");
}

static const char *commit_of(const struct results_run *run, const char *unused)
{
    (void)unused;
    return results_string(results_object(run->header, "environment"), "commit");
}

static const char *suite_of(const struct results_run *run, const char *unused)
{
    (void)unused;
    return results_string(run->header, "suite_version");
}

static const char *version_of(const struct results_run *run, const char *name)
{
    return results_string(results_driver(run, name), "version");
}

static bool judged_before(const struct results_run *runs, size_t run, const char *name)
{
    for (size_t i = 0; i < run; ++i)
        if (version_of(&runs[i], name))
            return true;
    return false;
}

static void judge_mixture(struct verdict *verdict, const struct results_run *runs, size_t run_count, bool one_bench)
{
    const struct common commons[] = {
        {"CPUs", cpu_of, NULL, true, false}, /* conformance may have been tested on another */
        {"commits", commit_of, NULL, one_bench, true},
        {"versions of ipcmark", suite_of, NULL, one_bench, true},
    };
    const cJSON *driver;
    for (size_t i = 0; i < sizeof commons / sizeof commons[0]; ++i)
        judge_same(verdict, runs, run_count, &commons[i]);
    for (size_t i = 0; i < run_count; ++i)
        cJSON_ArrayForEach(driver, cJSON_GetObjectItemCaseSensitive(runs[i].header, "drivers"))
        {
            const char *name = results_string(driver, "name");
            char what[80];
            if (name == NULL || judged_before(runs, i, name))
                continue;
            snprintf(what, sizeof what, "versions of %.40s", name);
            judge_same(verdict, runs, run_count, &(struct common){what, version_of, name, one_bench, true});
        }
}

static bool is_of(const struct results_rows *rows, size_t number, const struct results_run *run)
{
    return rows->runs[number].first == run || results_same_run(rows->runs[number].first, run);
}

/* The weightiest first: a headline shows only one. */
size_t results_fitness(const struct results_run *runs, size_t run_count, const struct results_rows *rows,
                       void (*reason)(void *context, const char *text), void *context)
{
    struct verdict verdict = {reason, context, NULL, 0};
    if (rows->run_count > 0)
        judge_mixture(&verdict, runs, run_count, rows->run_count == 1);
    for (size_t number = 0; number < rows->run_count; ++number) {
        verdict.run = rows->run_count > 1 ? rows->runs[number].label : NULL;
        judge_blocks(&verdict, rows, number);
        judge_rates(&verdict, rows, number);
        for (size_t i = 0; i < run_count; ++i) {
            if (!is_bench(&runs[i]) || !is_of(rows, number, &runs[i]))
                continue;
            judge_failures(&verdict, &runs[i]);
            judge_environment(&verdict, &runs[i]);
            judge_load(&verdict, &runs[i]);
            judge_steal(&verdict, &runs[i]);
            judge_placements(&verdict, &runs[i]);
            judge_unknown(&verdict, &runs[i]);
        }
    }
    return verdict.count;
}
