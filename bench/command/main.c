/* ipcmark-bench: plans the rows, has them measured block by block, keeps every cell, and says what came out. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cjson/cJSON.h>
#include <ipcmark/control.h>
#include <ipcmark/runfile.h>

#include "../rows/cell.h"
#include "block.h"
#include "earlier.h"
#include "options.h"
#include "plan.h"
#include "progress.h"
#include "statistics.h"
#include "summary.h"
#include "table.h"
#include "tally.h"
#include "targets.h"

struct bench_run {
    struct options options;
    struct plan plan;
    struct tally tally;
    struct progress progress;
    struct ipcmark_runfile *file;
    cJSON *drivers; /* what they say of themselves */
    double load, seconds;
    int write_error;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
    interrupted = signal;
}

static void listen_for_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static int complain(const char *what, int error)
{
    fprintf(stderr, "ipcmark bench: %s: %s\n", what, strerror(-error));
    return 3;
}

static cJSON *describe(const ipcmark_implementation *implementation, const char *driver)
{
    cJSON *json = cJSON_CreateObject(), *capabilities;
    char label[ROW_NAME_BYTES];

    row_driver_label(label, sizeof label, driver);
    cJSON_AddStringToObject(json, "name", label);
    cJSON_AddStringToObject(json, "version", implementation->version);
    cJSON_AddStringToObject(json, "summary", implementation->summary);
    cJSON_AddStringToObject(json, "homepage", implementation->homepage);
    capabilities = cJSON_AddArrayToObject(json, "capabilities");
    for (unsigned bit = 0; bit < 64 && ipcmark_capability_name(bit) != NULL; ++bit)
        if (implementation->capabilities >> bit & 1)
            cJSON_AddItemToArray(capabilities, cJSON_CreateString(ipcmark_capability_name(bit)));
    return json;
}

/* Asks each driver who it is, so that one that cannot be used is known before an hour has gone by. */
static int probe_drivers(struct bench_run *run)
{
    ipcmark_session *session;
    int result = ipcmark_session_open(&session);

    if (result < 0)
        return complain("the harness did not start", result);
    run->drivers = cJSON_CreateArray();
    for (size_t i = 0; i < run->options.driver_count && result == 0; ++i) {
        ipcmark_target target = {.driver = run->options.drivers[i]};
        ipcmark_implementation implementation;
        if (ipcmark_probe(session, &target, &implementation) < 0) {
            fprintf(stderr, "ipcmark bench: driver '%s' cannot be used: %s\n", target.driver,
                    ipcmark_session_text(session));
            result = 3;
        } else {
            cJSON_AddItemToArray(run->drivers, describe(&implementation, target.driver));
        }
    }
    if (ipcmark_session_interrupted(session) != 0)
        result = 128 + ipcmark_session_interrupted(session);
    if (ipcmark_session_close(session) < 0)
        result = 3;
    return result;
}

static void take_resumed(void *context, const cJSON *record)
{
    struct bench_run *run = context;
    (void)tally_add(&run->tally, record);
}

/* Before anything is measured: hours of an interrupted run are not lost to a command that was typed again. */
static int keep_earlier(const struct options *options)
{
    char command[4096];

    if (options->output_given || !earlier_is_unfinished(options->output, command, sizeof command))
        return 0;
    fprintf(stderr, "ipcmark bench: %s holds a run that did not finish, and would be written over. ", options->output);
    if (command[0] != '\0')
        fprintf(stderr, "To go on with it:\n  %s --resume %s\n", command, options->output);
    fprintf(stderr, "To measure anew, give --output FILE, or delete it.\n");
    return 3;
}

static int open_file(struct bench_run *run)
{
    const char **names = calloc(run->plan.count, sizeof *names);
    char command[4096];
    struct ipcmark_run header = {.kind = "bench",
                                 .command = command,
                                 .seed = run->options.seed,
                                 .plan = names,
                                 .plan_count = run->plan.count,
                                 .planned = run->tally.planned,
                                 .drivers = run->drivers};
    int result;

    if (names == NULL)
        return complain(run->options.output, -ENOMEM);
    for (size_t i = 0; i < run->plan.count; ++i)
        names[i] = run->plan.rows[i].name;
    options_describe(&run->options, command, sizeof command);
    result = run->options.resume ? ipcmark_runfile_resume(&run->file, run->options.output, &header, take_resumed, run)
                                 : ipcmark_runfile_open(&run->file, run->options.output, &header);
    free(names);
    if (result == -EBADMSG)
        fprintf(stderr, "ipcmark bench: %s is of another run: its seed, drivers, suite, filter or blocks differ\n",
                run->options.output);
    else if (result < 0)
        complain(run->options.output, result);
    return result < 0 ? 3 : 0;
}

static int take_cell(void *context, const cJSON *record)
{
    struct bench_run *run = context;
    const struct tally_cell *cell = tally_add(&run->tally, record);
    const struct tally_row *row;

    if (cell == NULL)
        return 0;
    if (run->write_error == 0)
        run->write_error = ipcmark_runfile_append(run->file, record);
    row = tally_find(&run->tally, cJSON_GetStringValue(cJSON_GetObjectItem(record, "row")));
    progress_cell(&run->progress, &run->tally, row, (unsigned)(cell - row->cells));
    return run->write_error; /* what is not kept need not be measured */
}

/* A row that the measuring program did not report has failed with it. */
static void fail_missing(struct bench_run *run, unsigned block, int exit_code)
{
    for (size_t i = 0; i < run->plan.count && run->write_error == 0; ++i) {
        struct cell cell;
        cJSON *record;
        if (tally_has(&run->tally, i, block))
            continue;
        cell_init(&cell, &run->plan.rows[i], block);
        cell_fail(&cell, "the measuring program ended (%d) before this row", exit_code);
        record = cell_to_json(&cell);
        (void)take_cell(run, record);
        cJSON_Delete(record);
        cell_release(&cell);
    }
}

static int run_block(struct bench_run *run, unsigned block)
{
    unsigned *order = calloc(run->plan.count, sizeof *order);
    const char **names = calloc(run->plan.count + 1, sizeof *names);
    size_t count = 0;
    int result = -ENOMEM;

    if (order == NULL || names == NULL)
        goto out;
    statistics_shuffle(order, run->plan.count, run->options.seed, block);
    for (size_t i = 0; i < run->plan.count; ++i)
        if (!tally_has(&run->tally, order[i], block))
            names[count++] = run->plan.rows[order[i]].name;
    result = count == 0 ? 0 : block_run(&run->options, block, names, &interrupted, take_cell, run);
    if (result >= 0 && interrupted == 0 && run->write_error == 0)
        fail_missing(run, block, result);
out:
    free(order);
    free(names);
    return result;
}

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int run_blocks(struct bench_run *run)
{
    double guess = 0, start = now_seconds();
    int result = 0;

    for (size_t i = 0; i < run->plan.count; ++i)
        for (unsigned block = 0; block < run->options.blocks; ++block)
            guess += tally_has(&run->tally, i, block) ? 0 : plan_cell_seconds(&run->plan.rows[i], &run->options);
    if (getloadavg(&run->load, 1) != 1)
        run->load = 0;
    progress_begin(&run->progress, &run->tally, guess);
    for (unsigned block = 0; block < run->options.blocks && interrupted == 0 && result >= 0 && run->write_error == 0;
         ++block)
        result = run_block(run, block);
    progress_end(&run->progress);
    run->seconds = now_seconds() - start;
    if (result < 0)
        return complain("ipcmark-bench-rows", result);
    return run->write_error < 0 ? complain(run->options.output, run->write_error) : 0;
}

static bool has_errors(const struct tally *tally)
{
    for (size_t i = 0; i < tally->count; ++i)
        if (tally->rows[i].error[0] != '\0')
            return true;
    return false;
}

static void print_doubts(const char *doubts)
{
    if (doubts[0] == '\0') {
        printf("These figures are fit to publish, with the environment in the file.\n");
        return;
    }
    printf("Not fit to publish:\n");
    for (const char *line = doubts, *end; *line != '\0'; line = end + 1) {
        end = strchr(line, '\n');
        if (end == NULL)
            break;
        printf("  - %.*s\n", (int)(end - line), line);
    }
}

/* Into the file as well, once every cell is there: a run that is gone on with has them later. */
static void keep_targets(struct bench_run *run, const struct goal_result *goals)
{
    for (size_t i = 0; i < TARGETS && run->tally.done == run->tally.planned && run->write_error == 0; ++i) {
        cJSON *record = targets_record(&goals[i]);
        run->write_error = ipcmark_runfile_append(run->file, record);
        cJSON_Delete(record);
    }
}

static void print_summary(const struct bench_run *run, const struct goal_result *goals)
{
    struct summary_row *rows = calloc(run->tally.count, sizeof *rows);
    cJSON *environment = ipcmark_environment_capture();
    char doubts[2048];

    if (rows != NULL && summary_make(&run->tally, rows) == 0) {
        summary_doubts(&run->tally, run->load, run->seconds,
                       cJSON_GetStringValue(cJSON_GetObjectItem(environment, "flags")), doubts, sizeof doubts);
        if (run->options.json) {
            table_print_json(rows, run->tally.count, doubts, goals);
        } else {
            table_print(rows, run->tally.count);
            print_doubts(doubts);
            table_print_targets(rows, run->tally.count);
            if (goals != NULL)
                targets_print(stdout, goals);
        }
    }
    cJSON_Delete(environment);
    free(rows);
}

static int finish(struct bench_run *run, int result)
{
    struct goal_result goals[TARGETS];
    bool judged = (run->options.suites & SUITE_TARGETS) != 0 && targets_judge(&run->tally, goals) == 0;
    char command[4096];

    if (judged)
        keep_targets(run, goals);
    if (result == 0 && interrupted != 0)
        result = 128 + (int)interrupted;
    else if (result == 0 && has_errors(&run->tally))
        result = 1;
    if (ipcmark_runfile_close(run->file, result, interrupted != 0) < 0 && result == 0)
        result = complain(run->options.output, -EIO);
    run->file = NULL;
    if (run->tally.done > 0)
        print_summary(run, judged ? goals : NULL);
    fflush(stdout);
    if (interrupted != 0 || run->write_error < 0) {
        options_describe(&run->options, command, sizeof command);
        fprintf(stderr, "%s; %zu of %zu cells are in %s. To go on:\n  %s --resume %s\n",
                interrupted != 0 ? "Interrupted" : "Stopped", run->tally.done - (run->write_error < 0),
                run->tally.planned, run->options.output, command, run->options.output);
    } else {
        fprintf(stderr, "Results: %s\n", run->options.output);
    }
    return result;
}

static int list_rows(const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; ++i)
        puts(plan->rows[i].name);
    return 0;
}

static int bench(struct bench_run *run)
{
    int result = plan_make(&run->plan, &run->options);

    if (result < 0)
        return complain("the plan", result);
    if (run->plan.count == 0) {
        fprintf(stderr, "ipcmark bench: no row matches '%s'; --list prints them all\n", run->options.filter);
        return 64;
    }
    if (run->options.list)
        return list_rows(&run->plan);
    if ((result = keep_earlier(&run->options)) != 0)
        return result;
    if ((result = tally_open(&run->tally, &run->plan, run->options.blocks)) < 0)
        return complain("the tally", result);
    if ((result = probe_drivers(run)) != 0)
        return result;
    listen_for_signals();
    if ((result = open_file(run)) != 0)
        return result;
    return finish(run, run_blocks(run));
}

int main(int argc, char **argv)
{
    struct bench_run run = {0};
    int result;

    if (options_parse(&run.options, argc, argv, &result) < 0)
        return result;
    result = bench(&run);
    ipcmark_runfile_close(run.file, result, interrupted != 0);
    cJSON_Delete(run.drivers);
    tally_close(&run.tally);
    plan_free(&run.plan);
    return result;
}
