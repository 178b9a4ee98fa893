#include "look.h"

#include "../analysis/rows.h"
#include "../command/command.h"
#include "findings.h"
#include "measure.h"
#include "others.h"
#include "scratch.h"
#include "store.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ALL ((1u << GATE_METRICS) - 1)

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The machine was too slow, or too busy, for its time. */
static void demand_blocks(struct gate_look *look, unsigned fewest)
{
    char why[80];

    if (look->lost || look->blocks >= fewest)
        return;
    for (size_t i = 0; i < GATE_METRICS; ++i) {
        struct gate_finding *finding = &look->findings[i];
        if (!(look->asked >> i & 1) || !finding->judged || finding->verdict == GATE_INCONCLUSIVE)
            continue;
        snprintf(why, sizeof why, "only %u of at least %u blocks were done in time", look->blocks, fewest);
        gate_find_noisy(finding, why);
    }
    look->verdict = GATE_INCONCLUSIVE;
}

/* Whole runs, none of them twice. */
static int read_whole(char **files, size_t count, struct results_run **out)
{
    char error[512] = "";
    int status = command_read("gate", files, count, out);

    if (status)
        return status;
    if (results_runs_check(*out, count, error, sizeof error) < 0)
        status = command_failed("gate", error);
    for (size_t i = 0; i < count && status == 0; ++i)
        if (results_number(results_object((*out)[i].header, "shard"), "count") > 1) {
            command_say("gate", "%s is a shard; ipcmark merge makes a run of all", (*out)[i].file);
            status = EXIT_UNREADABLE;
        }
    if (status)
        command_free(*out, count);
    return status;
}

static int judge_beside(struct gate_look *out, const struct results_run *run, const struct gate_tolerances *tolerances,
                        unsigned asked)
{
    struct results_rows rows = {0};
    int error = results_rows_build(&rows, run, 1);

    if (error == 0 && rows.run_count != 1)
        error = -EINVAL;
    if (error == 0)
        error = gate_judge(out, &rows, tolerances, asked);
    results_rows_free(&rows);
    return error == -EINVAL
               ? command_failed("gate", "that is no run of a benchmark; name a file that ipcmark bench wrote")
           : error ? command_failed("gate", "not enough memory")
                   : 0;
}

static int judge_file(struct gate_look *out, const char *file, const struct gate_tolerances *tolerances, unsigned asked)
{
    char *files[] = {(char *)(uintptr_t)file};
    struct results_run *run = NULL;
    int status = read_whole(files, 1, &run);

    if (status)
        return status;
    status = judge_beside(out, run, tolerances, asked);
    command_free(run, 1);
    return status;
}

static int refuse(const char *stored, const char *what)
{
    fprintf(stderr,
            "ipcmark gate: %s was measured on another machine: %s. To compare with it all the same, as a trend, give "
            "--other-environment; to store this machine's, --accept --reason.\n",
            stored, what);
    return EXIT_UNREADABLE;
}

/* Whether they can be compared; what differs is in the report. */
static int compare_environments(struct gate_report *report, const struct results_run runs[2],
                                const struct options *options)
{
    char machine[sizeof report->differs / 2 - 2], build[sizeof report->differs / 2];
    const bool other = store_other_machine(&runs[0], &runs[1], machine, sizeof machine);

    if (other && !options->other_environment)
        return refuse(options->baseline, machine);
    if (store_other_build(&runs[0], &runs[1], build, sizeof build) || other)
        snprintf(report->differs, sizeof report->differs, "%s%s%s", machine, other && *build ? "; " : "", build);
    return 0;
}

static int judge_with_stored(struct gate_report *report, struct gate_look *out, const struct gate_measuring *measuring,
                             const struct options *options, const struct gate_tolerances *tolerances)
{
    char *files[] = {(char *)(uintptr_t)measuring->output, (char *)(uintptr_t)options->baseline};
    struct results_run *runs = NULL;
    struct results_rows rows = {0};
    int status = read_whole(files, 2, &runs);

    if (status)
        return status;
    status = compare_environments(report, runs, options);
    if (status)
        goto out;
    if (results_rows_build(&rows, runs, 2) < 0)
        status = command_failed("gate", "not enough memory");
    else if (rows.run_count != 2)
        status = command_failed("gate", "--baseline FILE.jsonl is no run of another benchmark");
    else
        (void)gate_judge_stored(out, &rows, 0, 1, tolerances, measuring->metrics);
    results_rows_free(&rows);
out:
    command_free(runs, 2);
    return status;
}

static int compare_clauses(struct gate_report *report, const struct options *options)
{
    char *files[] = {(char *)(uintptr_t)options->conformance, (char *)(uintptr_t)options->verdicts};
    struct results_run *runs = NULL;
    int status, error;

    if (options->verdicts == NULL)
        return 0;
    status = command_read("gate", files, 2, &runs);
    if (status)
        return status;
    error = gate_clauses_compare(&report->clauses, &runs[0], &runs[1]);
    report->compared_clauses = true;
    command_free(runs, 2);
    return error == -EINVAL
               ? command_failed("gate", "--verdicts and --conformance take a conformance run each, with its cases")
           : error ? command_failed("gate", "not enough memory")
                   : 0;
}

/* ---- measuring ----------------------------------------------------------------------------------------------- */

static struct gate_measuring measuring_of(const struct options *options, const struct scratch *scratch)
{
    return (struct gate_measuring){.candidate = options->candidate,
                                   .base = options->stored ? NULL : options->baseline,
                                   .metrics = ALL,
                                   .seconds = options->seconds,
                                   .cell_seconds = options->cell_seconds,
                                   .seed = options->seed,
                                   .pin = options->pin,
                                   .output = scratch->first,
                                   .said = scratch->said};
}

static int judge(struct gate_report *report, struct gate_look *out, const struct gate_measuring *measuring,
                 const struct options *options, const struct gate_tolerances *tolerances)
{
    int status;

    fprintf(stderr, "ipcmark gate: measuring for %.0f s\n", measuring->seconds);
    status = gate_measure(measuring);
    if (status == 0)
        status = options->stored ? judge_with_stored(report, out, measuring, options, tolerances)
                                 : judge_file(out, measuring->output, tolerances, measuring->metrics);
    if (status == 0)
        demand_blocks(out, GATE_FEWEST_BLOCKS);
    return status;
}

/* Only what could not be told for noise, with all the time for it. What it shows then counts, and not what it showed
 * before: whether there is a second try depends on how noisy the first was, which makes nothing look slower. */
static int look_again(struct gate_report *report, struct gate_measuring measuring, const struct scratch *scratch,
                      const struct options *options, const struct gate_tolerances *tolerances)
{
    measuring.metrics = gate_to_look_again(&report->first);
    if (measuring.metrics == 0)
        return 0;
    measuring.output = scratch->again;
    measuring.seed += 2;
    report->looked_again = true;
    fprintf(stderr, "ipcmark gate: some of it cannot be told yet; that alone is measured again\n");
    return judge(report, &report->again, &measuring, options, tolerances);
}

/* Only what seemed slower is measured again, with all the time for it. */
static int confirm(struct gate_report *report, struct gate_measuring measuring, const struct scratch *scratch,
                   const struct options *options, const struct gate_tolerances *tolerances)
{
    gate_decide(report);
    measuring.metrics = gate_to_confirm(&report->decided);
    if (measuring.metrics == 0)
        return 0;
    measuring.output = scratch->second;
    measuring.seed += 1;
    report->confirmed = true;
    fprintf(stderr, "ipcmark gate: it seems slower; fresh blocks are to confirm that\n");
    return judge(report, &report->second, &measuring, options, tolerances);
}

/* Before it is measured for minutes. */
static int check_stored(const struct options *options)
{
    char *files[] = {(char *)(uintptr_t)options->baseline};
    struct results_run *run = NULL;
    int status = options->stored ? read_whole(files, 1, &run) : 0;

    if (!options->stored || status)
        return status;
    status = store_check(run);
    command_free(run, 1);
    return status;
}

/* They decide nothing: without them there is less to read. 0, or the exit code of an interruption. */
static int orientate(const struct gate_measuring *others, const struct options *options)
{
    const int status = options->self_test ? 0 : gate_measure_others(others);
    return status > 128 ? status : 0;
}

static int measure_all(struct gate_report *report, const struct scratch *scratch, const struct options *options,
                       const struct gate_tolerances *tolerances)
{
    struct gate_measuring measuring = measuring_of(options, scratch), others = measuring;
    int status = check_stored(options);

    others.output = scratch->others[0];
    if (status == 0)
        status = orientate(&others, options);
    if (status == 0)
        status = judge(report, &report->first, &measuring, options, tolerances);
    if (status == 0)
        status = look_again(report, measuring, scratch, options, tolerances);
    if (status == 0)
        status = confirm(report, measuring, scratch, options, tolerances);
    others.output = scratch->others[1];
    if (status == 0)
        status = orientate(&others, options);
    others_say(report->beside, sizeof report->beside, scratch->others[0], scratch->others[1]);
    if (report->beside[0] == '\0' && !options->self_test)
        snprintf(report->beside, sizeof report->beside, "For orientation: pipe and TCP could not be measured");
    return status;
}

/* What is compared with from now on must be figures. */
static int check_whole(const char *file)
{
    char *files[] = {(char *)(uintptr_t)file}, text[512];
    struct results_run *run = NULL;
    int status = command_read("gate", files, 1, &run), last = -1;

    if (status)
        return status;
    for (size_t i = 0; i < run->cell_count; ++i)
        last = run->cells[i].block > last ? run->cells[i].block : last;
    if (last + 1 < GATE_FEWEST_BLOCKS)
        status = command_failed("gate", "not stored: fewer than 12 blocks were done in time; give more --seconds");
    for (size_t i = 0; i < run->cell_count && status == 0; ++i)
        if (run->cells[i].error) {
            snprintf(text, sizeof text, "not stored: %s: %.400s", run->cells[i].row, run->cells[i].error);
            status = command_failed("gate", text);
        }
    command_free(run, 1);
    return status;
}

static int check_cases(const char *file)
{
    char *files[] = {(char *)(uintptr_t)file};
    struct results_run *run = NULL;
    int status = command_read("gate", files, 1, &run);

    if (status)
        return status;
    if (run->case_count == 0)
        status = command_failed("gate", "not stored: --conformance holds no case of a conformance run");
    command_free(run, 1);
    return status;
}

static int accept(const struct scratch *scratch, const struct options *options)
{
    struct gate_measuring measuring = measuring_of(options, scratch);
    int status = options->verdicts ? check_cases(options->conformance) : 0; /* first: both are stored, or none */

    if (status == 0 && options->baseline)
        status = gate_measure(&measuring);
    if (status == 0 && options->baseline)
        status = check_whole(scratch->first);
    if (status == 0 && options->baseline)
        status = store(options->baseline, scratch->first, options->reason);
    if (status == 0 && options->verdicts)
        status = store(options->verdicts, options->conformance, options->reason);
    return status;
}

static bool has_time(const struct options *options)
{
    struct scratch none = {.first = ""};
    struct gate_measuring measuring = measuring_of(options, &none);
    return options->baseline == NULL || gate_has_time(&measuring);
}

int look(struct gate_report *report, const struct options *options, const struct gate_tolerances *tolerances)
{
    const double began = now_seconds();
    struct scratch scratch;
    int status;

    if (!has_time(options))
        return command_usage("gate", "--seconds is too little for 12 blocks, the fewest that can tell; ",
                             "give more, or less --cell-seconds");
    status = scratch_open(&scratch, options->output && !options->self_test ? options->output : NULL);
    if (status)
        return status;
    if (options->accept)
        status = accept(&scratch, options);
    else if (options->baseline)
        status = measure_all(report, &scratch, options, tolerances);
    if (status == 0 && !options->accept)
        status = compare_clauses(report, options);
    scratch_close(&scratch, options->output && !options->self_test ? options->output : NULL);
    report->seconds = now_seconds() - began;
    report->stored = options->stored;
    if (status == 0 && !options->accept)
        gate_conclude(report);
    return status;
}

static int judge_recorded(struct gate_look *out, const struct results_run *run,
                          const struct gate_tolerances *tolerances, unsigned metrics)
{
    const int status = judge_beside(out, run, tolerances, metrics);
    if (status == 0)
        demand_blocks(out, GATE_FEWEST_BLOCKS);
    return status;
}

/* In the order in which they were measured: what was not needed was not measured, and has no file. */
int look_recorded(struct gate_report *report, const struct options *options, const struct gate_tolerances *tolerances)
{
    const size_t count = (size_t)options->judge_count;
    struct results_run *runs = NULL;
    size_t used = 1;
    unsigned metrics;
    int status = read_whole(options->judge, count, &runs);

    if (status)
        return status;
    status = judge_recorded(&report->first, &runs[0], tolerances, ALL);
    metrics = status == 0 && used < count ? gate_to_look_again(&report->first) : 0;
    report->looked_again = metrics != 0;
    if (report->looked_again)
        status = judge_recorded(&report->again, &runs[used++], tolerances, metrics);
    gate_decide(report);
    metrics = status == 0 && used < count ? gate_to_confirm(&report->decided) : 0;
    report->confirmed = metrics != 0;
    if (report->confirmed)
        status = judge_recorded(&report->second, &runs[used++], tolerances, metrics);
    command_free(runs, count);
    if (status == 0)
        status = compare_clauses(report, options);
    if (status == 0)
        gate_conclude(report);
    return status;
}
