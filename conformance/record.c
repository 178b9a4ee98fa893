#include "record.h"

#include "ipcmark/runfile.h"
#include "resume.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct record_file {
    struct ipcmark_runfile *file;
    char folder[4096]; /* of the file: evidence is named relative to it */
};

/* ---- what the header holds --------------------------------------------------------------------------------------- */

static cJSON *contender_json(const contender *who)
{
    cJSON *json = cJSON_CreateObject(), *capabilities = cJSON_CreateArray();
    const char *name;
    char digest[IPCMARK_DIGEST_SIZE];
    ipcmark_target_digest(digest, who->target);
    for (unsigned bit = 0; (name = ipcmark_capability_name(bit)) != NULL; ++bit)
        if ((who->implementation.capabilities & ((uint64_t)1 << bit)) != 0)
            cJSON_AddItemToArray(capabilities, cJSON_CreateString(name));
    cJSON_AddStringToObject(json, "name", who->name);
    cJSON_AddStringToObject(json, "version", who->implementation.version);
    cJSON_AddStringToObject(json, "summary", who->implementation.summary);
    if (who->implementation.homepage[0] != '\0')
        cJSON_AddStringToObject(json, "homepage", who->implementation.homepage);
    else
        cJSON_AddNullToObject(json, "homepage");
    cJSON_AddItemToObject(json, "capabilities", capabilities);
    if (digest[0] != '\0')
        cJSON_AddStringToObject(json, "digest", digest);
    else
        cJSON_AddNullToObject(json, "digest");
    return json;
}

void record_wrap(cJSON *header, const command_options *options)
{
    char *wrap = options->wrap != NULL ? strdup(options->wrap) : NULL;
    if (wrap != NULL)
        cJSON_AddStringToObject(header, "wrap", record_without_folders(wrap));
    else
        cJSON_AddNullToObject(header, "wrap");
    free(wrap);
}

char *record_command(const command_options *options)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    if (file == NULL)
        return NULL;
    fputs("ipcmark conformance", file);
    for (int i = 1; i < options->argc; ++i)
        fprintf(file, " %s", options->argv[i]);
    if (!options->seed_given)
        fprintf(file, " --seed %llu", (unsigned long long)options->seed);
    fclose(file);
    return record_without_folders(text);
}

/* "mmipc DEL-001", …: fills ids if it is not NULL, and returns how many there are. */
static size_t plan_ids(const record_plan *plan, char **ids)
{
    const clause *about;
    size_t count = 0;
    for (size_t i = 0; i < plan->contender_count; ++i)
        for (size_t k = 0; (about = clause_at(k)) != NULL; ++k) {
            if (!options_select(plan->options, about))
                continue;
            if (ids != NULL && asprintf(&ids[count], "%s %s", plan->contenders[i].name, about->id) < 0)
                ids[count] = NULL;
            ++count;
        }
    return count;
}

size_t record_planned(const record_plan *plan)
{
    return plan_ids(plan, NULL) * plan->options->rounds;
}

/* What the runfile needs to know, and what of it must be freed. */
typedef struct {
    struct ipcmark_run run;
    char version[16], *command, **ids;
    cJSON *drivers, *more;
} header;

static void header_clear(header *self)
{
    for (size_t i = 0; self->ids != NULL && i < self->run.plan_count; ++i)
        free(self->ids[i]);
    free(self->ids);
    free(self->command);
    cJSON_Delete(self->drivers);
    cJSON_Delete(self->more);
}

static int header_fill(header *self, const record_plan *plan)
{
    memset(self, 0, sizeof *self);
    snprintf(self->version, sizeof self->version, "%d", CONTRACT_VERSION);
    self->command = record_command(plan->options);
    self->drivers = cJSON_CreateArray();
    self->more = cJSON_CreateObject();
    self->run = (struct ipcmark_run){.kind = "conformance",
                                     .contract_version = self->version,
                                     .command = self->command,
                                     .seed = plan->options->seed,
                                     .plan_count = plan_ids(plan, NULL),
                                     .planned = record_planned(plan),
                                     .drivers = self->drivers,
                                     .more = self->more};
    for (size_t i = 0; i < plan->contender_count; ++i)
        cJSON_AddItemToArray(self->drivers, contender_json(&plan->contenders[i]));
    cJSON_AddStringToObject(self->more, "effort", effort_name(plan->options->effort));
    cJSON_AddNumberToObject(self->more, "rounds", plan->options->rounds);
    record_wrap(self->more, plan->options);
    self->ids = calloc(self->run.plan_count + 1, sizeof *self->ids);
    if (self->ids == NULL || self->command == NULL)
        return -ENOMEM;
    self->run.plan = (const char *const *)self->ids;
    plan_ids(plan, self->ids);
    for (size_t i = 0; i < self->run.plan_count; ++i)
        if (self->ids[i] == NULL)
            return -ENOMEM;
    return 0;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static record_file *new_file(const char *path)
{
    const char *slash = strrchr(path, '/');
    record_file *self = calloc(1, sizeof *self);
    if (self != NULL && slash != NULL)
        snprintf(self->folder, sizeof self->folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    return self;
}

int record_open(record_file **out, const char *path, const record_plan *plan)
{
    record_file *self = new_file(path);
    header what;
    int error = header_fill(&what, plan);
    if (error == 0)
        error = self != NULL ? ipcmark_runfile_open(&self->file, path, &what.run) : -ENOMEM;
    header_clear(&what);
    if (error < 0)
        free(self);
    else
        *out = self;
    return error;
}

typedef struct {
    const record_plan *plan;
    const char *folder;
    result_list *into;
    unsigned rounds; /* that were asked for, in the header or by a later call */
    int error;
} restoration;

static void restore(void *context, const cJSON *json)
{
    restoration *self = context;
    const cJSON *rounds = cJSON_GetObjectItemCaseSensitive(json, "rounds");
    result item;
    if (cJSON_IsNumber(rounds) && rounds->valuedouble > self->rounds)
        self->rounds = (unsigned)rounds->valuedouble;
    if (!record_case_restore(&item, json, self->plan->contenders, self->plan->contender_count, self->folder))
        return; /* other kinds of records, some of which this version may not know */
    if (item.round >= self->rounds)
        self->rounds = item.round + 1;
    if (result_append(self->into, &item) == NULL) {
        result_clear(&item);
        self->error = -ENOMEM;
    }
}

/* That the run went on, and with how many rounds: the header stays as it was. */
static int append_resumption(record_file *self, const record_plan *plan, const char *command)
{
    cJSON *json = cJSON_CreateObject();
    int error;
    cJSON_AddStringToObject(json, "record", "resumed");
    cJSON_AddStringToObject(json, "command", command);
    cJSON_AddNumberToObject(json, "rounds", plan->options->rounds);
    cJSON_AddNumberToObject(json, "planned", (double)record_planned(plan));
    error = ipcmark_runfile_append(self->file, json);
    cJSON_Delete(json);
    return error;
}

static void take_over(const record_plan *plan, const restoration *what, uint64_t seed)
{
    command_options *options = plan->options;
    options->seed = seed;
    if (!options->rounds_given || what->rounds > options->rounds)
        options->rounds = what->rounds;
}

int record_resume(record_file **out, const char *path, const record_plan *plan, result_list *into, char *problem,
                  size_t problem_size)
{
    record_file *self = new_file(path);
    restoration what = {.plan = plan, .folder = self != NULL ? self->folder : "", .into = into};
    cJSON *before = NULL;
    header now;
    int error = header_fill(&now, plan);
    snprintf(problem, problem_size, "out of memory");
    if (error < 0 || self == NULL) {
        error = -ENOMEM;
        goto out;
    }
    error = resume_check(&before, path, &now.run, plan->options->seed_given, problem, problem_size);
    if (error < 0)
        goto out;
    restore(&what, before); /* for its rounds */
    error = ipcmark_runfile_resume(&self->file, path, &now.run, restore, &what);
    if (error < 0) {
        resume_explain(error, path, problem, problem_size);
        goto out;
    }
    take_over(plan, &what, now.run.seed);
    error = what.error < 0 ? what.error : append_resumption(self, plan, now.command);
    if (error < 0) {
        snprintf(problem, problem_size, "%s: %s", path, strerror(-error));
        ipcmark_runfile_close(self->file, EXIT_ERROR, 1);
    }
out:
    cJSON_Delete(before);
    header_clear(&now);
    if (error < 0)
        free(self);
    else
        *out = self;
    return error;
}

int record_append(record_file *self, const result *item)
{
    cJSON *json = record_case_json(item, self->folder);
    const int error = ipcmark_runfile_append(self->file, json);
    cJSON_Delete(json);
    return error;
}

void record_explain_unwritten(result *item, const char *judged, const char *path, int error)
{
    char *text;
    if (asprintf(&text, "it was judged '%s', but %s could not be written: %s; make room there, and go on with --resume",
                 judged, path, strerror(-error)) < 0)
        text = NULL;
    free(item->text);
    item->text = text;
    item->violation[0] = '\0';
    item->verdict = item->seen = VERDICT_ERROR;
}

int record_close(record_file *self, int exit_code, bool interrupted)
{
    const int error = ipcmark_runfile_close(self->file, exit_code, interrupted);
    free(self);
    return error;
}
