#include "shards.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The same shards make the same run, in whatever order they are given: FNV-1a of their ids. */
static void joined_id(char out[17], const struct results_run *runs, size_t count)
{
    uint64_t sum = 0xcbf29ce484222325;
    for (size_t i = 0; i < count; ++i)
        for (const char *letter = results_header(&runs[i], "run"); *letter; ++letter)
            sum = (sum ^ (unsigned char)*letter) * 0x100000001b3;
    snprintf(out, 17, "%016" PRIx64, sum);
}

static bool replace(cJSON *object, const char *name, cJSON *value)
{
    if (value && cJSON_GetObjectItemCaseSensitive(object, name))
        return cJSON_ReplaceItemInObjectCaseSensitive(object, name, value);
    return value && cJSON_AddItemToObject(object, name, value);
}

static double planned_of(const struct results_run *runs, size_t count)
{
    double planned = 0;
    for (size_t i = 0; i < count; ++i)
        planned += results_planned(&runs[i]);
    return planned;
}

/* The earliest start, and the highest of all loads: none of the shards had a quieter machine than is said. That of one
 * that is not known might be higher. */
static bool add_surroundings(cJSON *header, const struct results_run *runs, size_t count)
{
    const char *started = results_header(&runs[0], "started");
    cJSON *environment = cJSON_GetObjectItemCaseSensitive(header, "environment");
    double highest = 0;
    for (size_t i = 0; i < count; ++i) {
        const char *own = results_header(&runs[i], "started");
        double load = results_number(results_object(runs[i].header, "environment"), "load");
        started = strcmp(own, started) < 0 ? own : started;
        highest = isnan(highest) || load <= highest ? highest : load;
    }
    return replace(header, "started", cJSON_CreateString(started)) &&
           (!cJSON_IsObject(environment) ||
            replace(environment, "load", isnan(highest) ? cJSON_CreateNull() : cJSON_CreateNumber(highest)));
}

static cJSON *joined_header(const struct results_run *runs, size_t count)
{
    cJSON *header = cJSON_Duplicate(runs[0].header, true), *merged = cJSON_CreateArray();
    char *command = shards_command(&runs[0]);
    char id[17];
    joined_id(id, runs, count);
    for (size_t i = 0; i < count; ++i)
        cJSON_AddItemToArray(merged, cJSON_CreateString(results_header(&runs[i], "run")));
    if (header && command && replace(header, "run", cJSON_CreateString(id)) &&
        replace(header, "command", cJSON_CreateString(command)) &&
        replace(header, "planned", cJSON_CreateNumber(planned_of(runs, count))) &&
        replace(header, "shard", cJSON_CreateNull()) && add_surroundings(header, runs, count)) {
        cJSON_AddItemToObject(header, "merged", merged);
    } else {
        cJSON_Delete(merged);
        cJSON_Delete(header);
        header = NULL;
    }
    free(command);
    return header;
}

static bool print_line(FILE *out, const cJSON *json)
{
    char *text = json ? cJSON_PrintUnformatted(json) : NULL;
    bool printed = text && fprintf(out, "%s\n", text) > 0;
    cJSON_free(text);
    return printed;
}

/* Sessions are counted through; a verdict on the blocks of one shard is none on the run. The records stay the run's own
 * otherwise. */
static bool print_records(FILE *out, const struct results_run *run, double planned, int *sessions, size_t *written)
{
    int before = *sessions;
    for (size_t i = 0; i < run->record_count; ++i) {
        cJSON *record = run->records[i];
        const char *kind = results_string(record, "record");
        if (strcmp(kind, "header") == 0 || strcmp(kind, "footer") == 0 || strcmp(kind, "target") == 0)
            continue;
        if (strcmp(kind, "session") == 0) {
            double own = results_number(record, "session");
            int number = before + (own >= 1 && own <= 1e6 ? (int)own : 1);
            *sessions = number > *sessions ? number : *sessions;
            if (!replace(record, "session", cJSON_CreateNumber(number)))
                return false;
        }
        if (strcmp(kind, "resumed") == 0 && !replace(record, "planned", cJSON_CreateNumber(planned)))
            return false;
        if (!print_line(out, record))
            return false;
        ++*written;
    }
    return true;
}

/* 3 before 1 before 2, as exit codes of all commands are. */
static int gravity(double code)
{
    return code == 0 ? 0 : code == 2 ? 1 : code == 1 ? 2 : 3;
}

static bool print_footer(FILE *out, const struct results_run *runs, size_t count, size_t written)
{
    cJSON *footer = cJSON_Duplicate(runs[0].footer, true);
    const char *finished = "";
    double worst = 0;
    bool printed;
    for (size_t i = 0; i < count; ++i) {
        const char *own = results_string(runs[i].footer, "finished");
        double code = results_number(runs[i].footer, "exit");
        finished = own && strcmp(own, finished) > 0 ? own : finished;
        worst = !isnan(code) && gravity(code) > gravity(worst) ? code : worst;
    }
    printed = footer && replace(footer, "finished", cJSON_CreateString(finished)) &&
              replace(footer, "exit", cJSON_CreateNumber(worst)) &&
              replace(footer, "written", cJSON_CreateNumber((double)written)) && print_line(out, footer);
    cJSON_Delete(footer);
    return printed;
}

char *shards_join(const struct results_run *runs, size_t count)
{
    char *text = NULL;
    size_t size, written = 0;
    FILE *out = open_memstream(&text, &size);
    cJSON *header = joined_header(runs, count);
    double planned = planned_of(runs, count);
    int sessions = 0;
    bool joined = out && header && print_line(out, header);
    for (size_t i = 0; i < count && joined; ++i)
        joined = print_records(out, &runs[i], planned, &sessions, &written);
    joined = joined && print_footer(out, runs, count, written);
    joined = (out == NULL || fclose(out) == 0) && joined;
    cJSON_Delete(header);
    if (joined)
        return text;
    free(text);
    return NULL;
}
