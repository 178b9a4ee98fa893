#include "fitness.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* With as many, the 95 % interval of the median leaves out the lowest and the highest block. */
#define BLOCKS 10

struct verdict {
    void (*reason)(void *context, const char *text);
    void *context;
    size_t count;
};

static void against(struct verdict *verdict, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void against(struct verdict *verdict, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ++verdict->count;
    if (verdict->reason)
        verdict->reason(verdict->context, text);
}

bool results_run_cut_short(const struct results_run *run)
{
    double planned = results_planned(run);
    return run->footer == NULL || run->torn ||
           cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(run->footer, "interrupted")) ||
           (double)(run->case_count + run->cell_count) < planned;
}

static void judge_environment(struct verdict *verdict, const struct results_run *run)
{
    const cJSON *environment = results_object(run->header, "environment");
    const char *virtualization = results_string(environment, "virtualization");
    const char *governor = results_string(environment, "governor");
    const char *flags = results_string(environment, "flags");
    const char *commit = results_string(environment, "commit");
    double load = results_number(environment, "load"), cpus = results_number(environment, "cpus");

    if (virtualization && *virtualization && strcmp(virtualization, "none") != 0)
        against(verdict, "They come from a virtual machine, whose CPUs the hypervisor shares and moves.");
    if (governor && strcmp(governor, "performance") != 0)
        against(verdict, "The CPU frequency was not fixed (governor %.40s).", governor);
    if (load > cpus / 4)
        against(verdict, "Other work was running: a load of %.1f on %.0f CPUs at the start.", load, cpus);
    if (flags && strstr(flags, "-O2") == NULL && strstr(flags, "-O3") == NULL)
        against(verdict, "The build is not optimised (%.100s).", flags);
    if (commit == NULL || strstr(commit, "dirty"))
        against(verdict, "The sources are not those of a commit, so nobody else can build them.");
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

static void judge_blocks(struct verdict *verdict, const struct results_rows *rows)
{
    size_t few = 0, fewest = BLOCKS;
    for (size_t i = 0; i < rows->count; ++i) {
        few += rows->rows[i].sample_count < BLOCKS;
        fewest = rows->rows[i].sample_count < fewest ? rows->rows[i].sample_count : fewest;
    }
    if (few)
        against(verdict, "%zu of %zu rows have as few as %zu block%s; a median that holds needs %d.", few, rows->count,
                fewest, fewest == 1 ? "" : "s", BLOCKS);
}

static void judge_placements(struct verdict *verdict, const struct results_run *run)
{
    static const char *const classes[] = {"siblings", "cluster", "distant"};
    bool seen[3] = {false};
    size_t mixed = 0, stolen = 0;
    for (size_t i = 0; i < run->cell_count; ++i) {
        const struct results_cell *cell = &run->cells[i];
        mixed += cell->placement && strcmp(cell->placement, "mixed") == 0;
        stolen += cell->steal_ns > 0;
        for (int class = 0; class < 3; ++class)
            seen[class] = seen[class] || (cell->placement && strcmp(cell->placement, classes[class]) == 0);
    }
    if (seen[0] + seen[1] + seen[2] > 1)
        against(verdict, "The CPUs were in %d placements: absolute figures mix them, ratios do not.",
                seen[0] + seen[1] + seen[2]);
    if (mixed)
        against(verdict, "The CPUs moved during %zu of %zu cells.", mixed, run->cell_count);
    if (stolen)
        against(verdict, "The hypervisor took CPU time during %zu of %zu cells.", stolen, run->cell_count);
}

/* The first run that has this text, and then one that has another: both are named. */
static void judge_same(struct verdict *verdict, const struct results_run *runs, size_t run_count, const char *what,
                       const char *(*text_of)(const struct results_run *run, const void *argument),
                       const void *argument)
{
    const char *first = NULL;
    for (size_t i = 0; i < run_count; ++i) {
        const char *text = text_of(&runs[i], argument);
        if (first == NULL || text == NULL || strcmp(first, text) == 0) {
            first = first ? first : text;
            continue;
        }
        against(verdict, "Runs of different %.60s were put together: %.60s and %.60s.", what, first, text);
        return;
    }
}

/* Conformance may have been tested on another CPU. */
static const char *cpu_of(const struct results_run *run, const void *unused)
{
    (void)unused;
    return strcmp(results_header(run, "kind"), "bench") == 0
               ? results_string(results_object(run->header, "environment"), "cpu")
               : NULL;
}

static const char *commit_of(const struct results_run *run, const void *unused)
{
    (void)unused;
    return results_string(results_object(run->header, "environment"), "commit");
}

static const char *suite_of(const struct results_run *run, const void *unused)
{
    (void)unused;
    return results_string(run->header, "suite_version");
}

static const char *version_of(const struct results_run *run, const void *name)
{
    const cJSON *driver;
    cJSON_ArrayForEach(driver, cJSON_GetObjectItemCaseSensitive(run->header, "drivers"))
    {
        const char *own = results_string(driver, "name");
        if (own && strcmp(own, name) == 0)
            return results_string(driver, "version");
    }
    return NULL;
}

static bool judged_before(const struct results_run *runs, size_t run, const char *name)
{
    for (size_t i = 0; i < run; ++i)
        if (version_of(&runs[i], name))
            return true;
    return false;
}

static void judge_mixture(struct verdict *verdict, const struct results_run *runs, size_t run_count)
{
    const cJSON *driver;
    judge_same(verdict, runs, run_count, "CPUs", cpu_of, NULL);
    judge_same(verdict, runs, run_count, "commits", commit_of, NULL);
    judge_same(verdict, runs, run_count, "versions of ipcmark", suite_of, NULL);
    for (size_t i = 0; i < run_count; ++i)
        cJSON_ArrayForEach(driver, cJSON_GetObjectItemCaseSensitive(runs[i].header, "drivers"))
        {
            const char *name = results_string(driver, "name");
            char what[80];
            if (name == NULL || judged_before(runs, i, name))
                continue;
            snprintf(what, sizeof what, "versions of %.40s", name);
            judge_same(verdict, runs, run_count, what, version_of, name);
        }
}

/* The weightiest first: a headline shows only one. */
size_t results_fitness(const struct results_run *runs, size_t run_count, const struct results_rows *rows,
                       void (*reason)(void *context, const char *text), void *context)
{
    struct verdict verdict = {reason, context, 0};
    size_t benches = 0;
    for (size_t i = 0; i < run_count; ++i) {
        if (strcmp(results_header(&runs[i], "kind"), "bench") != 0)
            continue;
        if (benches++ == 0) {
            judge_mixture(&verdict, runs, run_count);
            judge_blocks(&verdict, rows);
        }
        judge_failures(&verdict, &runs[i]);
        judge_environment(&verdict, &runs[i]);
        judge_placements(&verdict, &runs[i]);
    }
    return verdict.count;
}
