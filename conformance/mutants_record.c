#include "mutants_record.h"

#include "json.h"

#include "ipcmark/runfile.h"
#include "record.h"
#include "resume.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mutants_record {
    struct ipcmark_runfile *file;
};

typedef struct {
    void (*done)(void *context, const mutants_cell *);
    void *context;
    unsigned rounds; /* that were asked for, in the header or by a later call */
} restoration;

static void restore(void *context, const cJSON *json)
{
    restoration *self = context;
    const mutants_cell item = {.mutant = json_text(json, "mutant"),
                               .outcome = json_text(json, "outcome"),
                               .clause = clause_find(json_text(json, "clause")),
                               .round = (unsigned)json_number(json, "round") - 1,
                               .attempts = (unsigned)json_number(json, "attempts")};
    self->rounds =
        (unsigned)json_number(json, "rounds") > self->rounds ? (unsigned)json_number(json, "rounds") : self->rounds;
    if (strcmp(json_text(json, "record"), "mutant") == 0 && item.clause != NULL &&
        (unsigned)json_number(json, "round") > 0)
        self->done(self->context, &item);
}

static int append_resumption(mutants_record *self, const struct ipcmark_run *run, unsigned rounds)
{
    cJSON *json = cJSON_CreateObject();
    int error;
    cJSON_AddStringToObject(json, "record", "resumed");
    cJSON_AddStringToObject(json, "command", run->command);
    cJSON_AddNumberToObject(json, "rounds", rounds);
    cJSON_AddNumberToObject(json, "planned", (double)(run->plan_count * rounds));
    error = ipcmark_runfile_append(self->file, json);
    cJSON_Delete(json);
    return error;
}

static int go_on(mutants_record *self, const mutants_plan *plan, struct ipcmark_run *run, restoration *what,
                 char *problem, size_t size)
{
    command_options *options = plan->options;
    cJSON *before = NULL;
    int error = resume_check(&before, options->output, run, options->seed_given, problem, size);
    if (error < 0)
        return error;
    restore(what, before); /* for its rounds */
    cJSON_Delete(before);
    error = ipcmark_runfile_resume(&self->file, options->output, run, restore, what);
    if (error < 0) {
        resume_explain(error, options->output, problem, size);
        return error;
    }
    options->seed = run->seed;
    if (!options->rounds_given || what->rounds > options->rounds)
        options->rounds = what->rounds;
    return append_resumption(self, run, options->rounds);
}

int mutants_record_open(mutants_record **out, const mutants_plan *plan, void (*done)(void *, const mutants_cell *),
                        void *context, char *problem, size_t problem_size)
{
    const char *path = plan->options->output;
    mutants_record *self = calloc(1, sizeof *self);
    char version[16], digest[IPCMARK_DIGEST_SIZE], *command = record_command(plan->options);
    cJSON *more = cJSON_CreateObject();
    struct ipcmark_run run = {.kind = "mutants",
                              .contract_version = version,
                              .command = command,
                              .seed = plan->options->seed,
                              .plan = (const char *const *)plan->ids,
                              .plan_count = plan->id_count,
                              .planned = plan->id_count * plan->options->rounds,
                              .more = more};
    restoration what = {done, context, 0};
    int error = -ENOMEM;
    snprintf(version, sizeof version, "%d", CONTRACT_VERSION);
    snprintf(problem, problem_size, "out of memory");
    ipcmark_target_digest(digest, &(ipcmark_target){.driver = plan->options->base});
    cJSON_AddStringToObject(more, "base", plan->base);
    cJSON_AddStringToObject(more, "base_digest", digest);
    record_wrap(more, plan->options);
    cJSON_AddNumberToObject(more, "rounds", plan->options->rounds);
    if (self != NULL && command != NULL) {
        if (plan->options->resume)
            error = go_on(self, plan, &run, &what, problem, problem_size);
        else if ((error = ipcmark_runfile_open(&self->file, path, &run)) < 0)
            snprintf(problem, problem_size, "%s: %s; --output must name a file that can be written", path,
                     strerror(-error));
    }
    cJSON_Delete(more);
    free(command);
    if (error < 0)
        free(self);
    else
        *out = self;
    return error;
}

int mutants_record_append(mutants_record *self, const mutants_cell *cell, const result *item)
{
    cJSON *json = cJSON_CreateObject();
    char *text = strdup(item->text != NULL ? item->text : "");
    int error;
    cJSON_AddStringToObject(json, "record", "mutant");
    cJSON_AddStringToObject(json, "mutant", cell->mutant);
    cJSON_AddStringToObject(json, "clause", cell->clause->id);
    cJSON_AddNumberToObject(json, "round", cell->round + 1.0);
    cJSON_AddStringToObject(json, "outcome", cell->outcome);
    cJSON_AddNumberToObject(json, "attempts", cell->attempts);
    cJSON_AddStringToObject(json, "verdict", verdict_name(item->verdict));
    if (item->violation[0] != '\0')
        cJSON_AddStringToObject(json, "class", item->violation);
    else
        cJSON_AddNullToObject(json, "class");
    cJSON_AddStringToObject(json, "text", text != NULL ? record_without_folders(text) : "");
    cJSON_AddNumberToObject(json, "seconds", item->seconds);
    cJSON_AddNumberToObject(json, "seed", (double)item->seed);
    error = ipcmark_runfile_append(self->file, json);
    cJSON_Delete(json);
    free(text);
    return error;
}

int mutants_record_close(mutants_record *self, int exit_code, bool interrupted)
{
    const int error = self != NULL ? ipcmark_runfile_close(self->file, exit_code, interrupted) : 0;
    free(self);
    return error;
}
