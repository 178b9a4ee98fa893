/* ipcmark-bench: plans the rows, has them measured block by block, keeps every cell, and says what came out. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../rows/cell.h"
#include "block.h"
#include "budget.h"
#include "drivers.h"
#include "order.h"
#include "run.h"
#include "show.h"

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
    if (order_make(&run->plan, run->options.seed, block, order) < 0)
        goto out;
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

/* Of what is left to do. */
static double guess_seconds(const struct bench_run *run)
{
    double guess = 0;

    for (unsigned block = 0; block < run->blocks; ++block) {
        double cells = 0;
        for (size_t i = 0; i < run->plan.count && shard_has(&run->options.shard, block); ++i)
            cells += tally_has(&run->tally, i, block) ? 0 : plan_cell_seconds(&run->plan.rows[i], &run->options);
        guess += cells > 0 ? cells + budget_block_seconds : 0;
    }
    return guess;
}

static void say_begin(const struct bench_run *run, double guess)
{
    const struct shard *shard = &run->options.shard;
    char time[32];

    progress_time(time, guess);
    fprintf(stderr, "%zu rows × %u blocks", run->plan.count, run->blocks);
    if (shard->count > 1)
        fprintf(stderr, ", part %u of %u", shard->index + 1, shard->count);
    fprintf(stderr, ": %zu cells, about %s\n", run->tally.planned - run->tally.done, time);
}

static int run_blocks(struct bench_run *run)
{
    const double guess = guess_seconds(run);
    int result = 0;

    say_begin(run, guess);
    progress_begin(&run->progress, &run->tally, guess);
    for (unsigned block = 0; block < run->blocks && interrupted == 0 && result >= 0 && run->write_error == 0; ++block)
        if (shard_has(&run->options.shard, block))
            result = run_block(run, block);
    progress_end(&run->progress);
    if (result < 0)
        return run_complain("ipcmark-bench-rows", result);
    return run->write_error < 0 ? run_complain(run->options.output, run->write_error) : 0;
}

static bool has_errors(const struct tally *tally)
{
    for (size_t i = 0; i < tally->count; ++i)
        if (tally->rows[i].error[0] != '\0')
            return true;
    return false;
}

static void say_end(const struct bench_run *run, size_t cells)
{
    char command[4096], output[2048], time[32];

    if (interrupted != 0 || run->write_error < 0) {
        options_describe(&run->options, false, command, sizeof command);
        options_quote(run->options.output, output, sizeof output);
        fprintf(stderr, "%s; %zu of %zu cells are in %s. To go on:\n  %s --resume %s\n",
                interrupted != 0 ? "Interrupted" : "Stopped", run->done_before + cells, run->tally.planned,
                run->options.output, command, output);
        return;
    }
    progress_time(time, session_seconds(&run->session));
    fprintf(stderr, "Results: %s (%zu cells in %s)\n", run->options.output, cells, time);
}

/* The results are there all the same. */
static void show(const char *file)
{
    int result = show_results(file);

    if (result < 0)
        (void)run_complain("ipcmark-report", result);
    else if (result > 0)
        fprintf(stderr, "ipcmark bench: ipcmark-report ended with %d; `ipcmark report %s` shows why\n", result, file);
}

static int finish(struct bench_run *run, int result)
{
    const size_t cells = run->tally.done - run->done_before - (run->write_error < 0);

    if (result == 0 && interrupted != 0)
        result = 128 + (int)interrupted;
    else if (result == 0 && has_errors(&run->tally))
        result = 1;
    (void)session_end(&run->session, run->file, cells, interrupted != 0); /* its error comes back when it is closed */
    if (ipcmark_runfile_close(run->file, result, interrupted != 0) < 0 && result == 0)
        result = run_complain(run->options.output, -EIO);
    run->file = NULL;
    if (run->tally.done > 0 && !run->options.quiet)
        show(run->options.output);
    say_end(run, cells);
    return result;
}

/* The rows alone on standard output; what they would take beside it. */
static int list_rows(const struct bench_run *run)
{
    char time[32];

    for (size_t i = 0; i < run->plan.count; ++i)
        puts(run->plan.rows[i].name);
    fflush(stdout);
    progress_time(time, budget_estimate(&run->plan, &run->options, run->blocks));
    fprintf(stderr, "%zu rows × %u blocks: about %s\n", run->plan.count, run->blocks, time);
    return 0;
}

/* What does not fit into the time that it may take is left out, and that is said. */
static int fit_plan(struct bench_run *run)
{
    const struct options *options = &run->options;
    struct budget budget;
    int result = budget_fit(&budget, &run->plan, options);

    run->blocks = budget.blocks;
    if (result == -ETIME) {
        char time[32];
        progress_time(time, budget_estimate(&run->plan, options, budget.blocks));
        fprintf(stderr, "ipcmark bench: --budget %g is too little: %u blocks of %s alone take about %s\n",
                options->budget, budget.blocks, run->plan.rows[run->plan.count - 1].name, time);
        return 64;
    }
    if (budget.blocks < options->blocks || budget.rows > 0)
        fprintf(stderr, "To take no more than %g s: %u of %u blocks%s%s\n", options->budget, budget.blocks,
                options->blocks, budget.rows > 0 ? ", and without " : "", budget.dropped);
    return 0;
}

static int plan(struct bench_run *run)
{
    int result = plan_make(&run->plan, &run->options);

    if (result < 0)
        return run_complain("the plan", result);
    if (run->plan.count == 0) {
        fprintf(stderr, "ipcmark bench: no row matches '%s'; --list prints them all\n", run->options.filter);
        return 64;
    }
    return fit_plan(run);
}

static int bench(struct bench_run *run)
{
    int result = plan(run);

    if (result != 0)
        return result;
    if (run->options.list)
        return list_rows(run);
    if ((result = run_keep_earlier(&run->options)) != 0)
        return result;
    if ((result = tally_open(&run->tally, &run->plan, run->blocks)) < 0)
        return run_complain("the tally", result);
    run->tally.planned = run->plan.count * shard_blocks(&run->options.shard, run->blocks);
    run->drivers = drivers_probe(&run->options, &result);
    if (run->drivers == NULL)
        return result;
    listen_for_signals();
    if ((result = run_open_file(run)) != 0)
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
