#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "earlier.h"

int run_complain(const char *what, int error)
{
    fprintf(stderr, "ipcmark bench: %s: %s\n", what, strerror(-error));
    return 3;
}

static void take_resumed(void *context, const cJSON *record)
{
    struct bench_run *run = context;
    (void)tally_add(&run->tally, record);
    session_take(&run->session, record);
}

int run_keep_earlier(const struct options *options)
{
    char command[4096], output[2048];

    if (options->resume || !earlier_is_unfinished(options->output, command, sizeof command))
        return 0;
    options_quote(options->output, output, sizeof output);
    fprintf(stderr, "ipcmark bench: %s holds %s, and would be written over. ", options->output,
            command[0] != '\0' ? "a run that did not finish" : "something that is no finished run");
    if (command[0] != '\0')
        fprintf(stderr, "To go on with it:\n  %s --resume %s\n", command, output);
    fprintf(stderr, "To measure anew, give another --output, or delete it.\n");
    return 3;
}

/* What the header has of this run beside what every run has. */
static cJSON *describe_run(const struct bench_run *run)
{
    const struct options *options = &run->options;
    const char *suite = options_suite_name(options->suites);
    cJSON *json = cJSON_CreateObject(), *shard;
    char text[32];

    snprintf(text, sizeof text, "%s%s%s", suite == NULL ? "" : suite,
             suite != NULL && (options->suites & SUITE_TARGETS) ? "+" : "",
             options->suites & SUITE_TARGETS ? "targets" : "");
    cJSON_AddStringToObject(json, "suite", text);
    cJSON_AddNumberToObject(json, "blocks", run->blocks);
    cJSON_AddNumberToObject(json, "cell_seconds", options_cell_seconds(options));
    cJSON_AddItemToObject(json, "pin", options->pin == NULL ? cJSON_CreateNull() : cJSON_CreateString(options->pin));
    shard = options->shard.count == 1 ? cJSON_CreateNull() : cJSON_CreateObject();
    cJSON_AddItemToObject(json, "shard", shard);
    if (options->shard.count > 1) {
        cJSON_AddNumberToObject(shard, "index", options->shard.index + 1);
        cJSON_AddNumberToObject(shard, "count", options->shard.count);
    }
    return json;
}

/* Figures of two builds, or of two questions, would be mixed in one row. */
static int check_same(const char *path, const struct ipcmark_run *header)
{
    char what[256] = "it does not begin with the header of a run";
    cJSON *earlier = NULL;
    const char *command;
    int result = ipcmark_runfile_header(&earlier, path);

    if (result == 0)
        result = ipcmark_run_same(earlier, header, what, sizeof what);
    command = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(earlier, "command"));
    if (result == -EBADMSG) {
        fprintf(stderr, "ipcmark bench: %s is of another run: %s. ", path, what);
        if (command != NULL)
            fprintf(stderr, "It was begun by:\n  %s\n", command);
        fprintf(stderr, "Give the options as they were, or measure anew: --output FILE.\n");
    } else if (result < 0) {
        run_complain(path, result);
    }
    cJSON_Delete(earlier);
    return result < 0 ? 3 : 0;
}

static int open_or_resume(struct bench_run *run, const struct ipcmark_run *header)
{
    const char *path = run->options.output;
    int result = run->options.resume ? check_same(path, header) : 0;

    if (result != 0)
        return result;
    result = run->options.resume ? ipcmark_runfile_resume(&run->file, path, header, take_resumed, run)
                                 : ipcmark_runfile_open(&run->file, path, header);
    run->done_before = run->tally.done;
    if (result == 0)
        result = session_begin(&run->session, run->file);
    return result < 0 ? run_complain(path, result) : 0;
}

int run_open_file(struct bench_run *run)
{
    const char **names = calloc(run->plan.count, sizeof *names);
    cJSON *more = describe_run(run);
    char command[4096];
    struct ipcmark_run header = {.kind = "bench",
                                 .command = command,
                                 .seed = run->options.seed,
                                 .plan = names,
                                 .plan_count = run->plan.count,
                                 .planned = run->tally.planned,
                                 .drivers = run->drivers,
                                 .more = more};
    int result = names == NULL || more == NULL ? run_complain(run->options.output, -ENOMEM) : 0;

    for (size_t i = 0; i < run->plan.count && result == 0; ++i)
        names[i] = run->plan.rows[i].name;
    options_describe(&run->options, true, command, sizeof command);
    if (result == 0)
        result = open_or_resume(run, &header);
    cJSON_Delete(more);
    free(names);
    return result;
}
