#include "record.h"

#include "ipcmark/runfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct record_file {
    struct ipcmark_runfile *file;
    char folder[4096]; /* of the file: evidence is named relative to it */
};

static cJSON *contender_json(const record_contender *who)
{
    cJSON *json = cJSON_CreateObject(), *capabilities = cJSON_CreateArray();
    const char *name;
    for (unsigned bit = 0; (name = ipcmark_capability_name(bit)) != NULL; ++bit)
        if ((who->implementation->capabilities & ((uint64_t)1 << bit)) != 0)
            cJSON_AddItemToArray(capabilities, cJSON_CreateString(name));
    cJSON_AddStringToObject(json, "name", who->name);
    cJSON_AddStringToObject(json, "version", who->implementation->version);
    cJSON_AddStringToObject(json, "summary", who->implementation->summary);
    if (who->implementation->homepage[0] != '\0')
        cJSON_AddStringToObject(json, "homepage", who->implementation->homepage);
    else
        cJSON_AddNullToObject(json, "homepage");
    cJSON_AddItemToObject(json, "capabilities", capabilities);
    return json;
}

/* The command as it was given, but for folders outside this one: result files name no absolute path. */
static char *command_text(const command_options *options)
{
    char *text = NULL;
    size_t size;
    bool seed_given = false;
    FILE *file = open_memstream(&text, &size);
    if (file == NULL)
        return NULL;
    fputs("ipcmark conformance", file);
    for (int i = 1; i < options->argc; ++i) {
        const char *word = options->argv[i], *slash = strrchr(word, '/');
        fprintf(file, " %s", word[0] == '/' && slash != NULL ? slash + 1 : word);
        seed_given |= strncmp(word, "--seed", 6) == 0;
    }
    if (!seed_given)
        fprintf(file, " --seed %llu", (unsigned long long)options->seed);
    fclose(file);
    return text;
}

static bool is_planned(const command_options *options, const clause *about)
{
    return options->clauses[0] == '\0' || clause_matches(options->clauses, about->id);
}

/* "mmipc DEL-001", …: fills ids if it is not NULL, and returns how many there are. */
static size_t plan_ids(const record_plan *plan, char **ids)
{
    const clause *about;
    size_t count = 0;
    for (size_t i = 0; i < plan->contender_count; ++i)
        for (size_t k = 0; (about = clause_at(k)) != NULL; ++k) {
            if (!is_planned(plan->options, about))
                continue;
            if (ids != NULL && asprintf(&ids[count], "%s %s", plan->contenders[i].name, about->id) < 0)
                ids[count] = NULL;
            ++count;
        }
    return count;
}

static int open_file(record_file *self, const char *path, const record_plan *plan, char **ids, size_t id_count)
{
    char version[16], *command = command_text(plan->options);
    cJSON *drivers = cJSON_CreateArray();
    struct ipcmark_run run = {.kind = "conformance",
                              .contract_version = version,
                              .command = command,
                              .seed = plan->options->seed,
                              .plan = (const char *const *)ids,
                              .plan_count = id_count,
                              .planned = plan->planned,
                              .drivers = drivers};
    int error = -ENOMEM;
    snprintf(version, sizeof version, "%d", CONTRACT_VERSION);
    for (size_t i = 0; i < plan->contender_count; ++i)
        cJSON_AddItemToArray(drivers, contender_json(&plan->contenders[i]));
    for (size_t i = 0; i < id_count; ++i)
        if (ids[i] == NULL)
            goto out;
    if (command != NULL)
        error = ipcmark_runfile_open(&self->file, path, &run);
out:
    cJSON_Delete(drivers);
    free(command);
    return error;
}

int record_open(record_file **out, const char *path, const record_plan *plan)
{
    const size_t id_count = plan_ids(plan, NULL);
    char **ids = calloc(id_count + 1, sizeof *ids);
    record_file *self = calloc(1, sizeof *self);
    const char *slash = strrchr(path, '/');
    int error = -ENOMEM;
    if (ids == NULL || self == NULL)
        goto out;
    plan_ids(plan, ids);
    snprintf(self->folder, sizeof self->folder, "%.*s", slash != NULL ? (int)(slash - path) : 0, path);
    error = open_file(self, path, plan, ids, id_count);
out:
    for (size_t i = 0; ids != NULL && i < id_count; ++i)
        free(ids[i]);
    free(ids);
    if (error < 0)
        free(self);
    else
        *out = self;
    return error;
}

/* A path as seen from the folder of the file. */
static void relative_path(const char *folder, const char *path, char *out, size_t size)
{
    char from[4096], to[4096];
    size_t common = 0, used = 0;
    if (realpath(folder[0] != '\0' ? folder : ".", from) == NULL || realpath(path, to) == NULL) {
        snprintf(out, size, "%s", path);
        return;
    }
    for (size_t i = 0; from[i] == to[i] || from[i] == '\0'; ++i) {
        if ((from[i] == '/' || from[i] == '\0') && (to[i] == '/' || to[i] == '\0'))
            common = i;
        if (from[i] == '\0' || to[i] == '\0')
            break;
    }
    out[0] = '\0';
    for (const char *at = from + common; *at != '\0' && used < size; ++at)
        if (*at == '/')
            used += (size_t)snprintf(out + used, size - used, "../");
    if (used < size)
        snprintf(out + used, size - used, "%s", to + common + (to[common] == '/'));
}

static void add_text(cJSON *json, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0')
        cJSON_AddStringToObject(json, name, text);
    else
        cJSON_AddNullToObject(json, name);
}

int record_append(record_file *self, const result *item)
{
    cJSON *json = cJSON_CreateObject();
    char evidence[4096] = "";
    int error;
    if (item->evidence != NULL)
        relative_path(self->folder, item->evidence, evidence, sizeof evidence);
    cJSON_AddStringToObject(json, "record", "case");
    cJSON_AddStringToObject(json, "driver", item->driver);
    cJSON_AddStringToObject(json, "clause", item->clause->id);
    cJSON_AddStringToObject(json, "level", clause_level(item->clause));
    cJSON_AddStringToObject(json, "title", item->clause->promise);
    cJSON_AddStringToObject(json, "verdict", verdict_name(item->verdict));
    add_text(json, "class", item->violation);
    cJSON_AddStringToObject(json, "text", item->text != NULL ? item->text : "");
    cJSON_AddNumberToObject(json, "seconds", item->seconds);
    cJSON_AddNumberToObject(json, "seed", (double)item->seed);
    cJSON_AddNumberToObject(json, "must", (double)item->must);
    cJSON_AddNumberToObject(json, "received", (double)item->received);
    add_text(json, "evidence", evidence);
    error = ipcmark_runfile_append(self->file, json);
    cJSON_Delete(json);
    return error;
}

int record_close(record_file *self, int exit_code, bool interrupted)
{
    const int error = ipcmark_runfile_close(self->file, exit_code, interrupted);
    free(self);
    return error;
}
