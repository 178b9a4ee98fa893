#include "json.h"
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- to JSON ----------------------------------------------------------------------------------------------------- */

char *record_without_folders(char *text)
{
    char *out = text;
    for (const char *at = text; *at != '\0';) {
        const bool begins = *at == '/' && at[1] > ' ' && (at == text || strchr(" '\"(=:\n", at[-1]) != NULL);
        const size_t length = begins ? strcspn(at, " '\"(),;:\n") : 1;
        const char *base = at + length;
        while (begins && base > at && base[-1] != '/')
            --base;
        memmove(out, begins ? base : at, (size_t)(at + length - (begins ? base : at)));
        out += at + length - (begins ? base : at);
        at += length;
    }
    *out = '\0';
    return text;
}

/* A path as seen from a folder. */
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

static void add_counts(cJSON *json, const result *item)
{
    cJSON_AddNumberToObject(json, "messages", (double)item->messages);
    cJSON_AddNumberToObject(json, "must", (double)item->must);
    cJSON_AddNumberToObject(json, "received", (double)item->received);
    cJSON_AddNumberToObject(json, "violations", (double)item->violations);
    cJSON_AddNumberToObject(json, "kills_inside", (double)item->kills_inside);
}

cJSON *record_case_json(const result *item, const char *folder)
{
    cJSON *json = cJSON_CreateObject();
    char evidence[4096] = "", *text = strdup(item->text != NULL ? item->text : "");
    if (item->evidence != NULL)
        relative_path(folder, item->evidence, evidence, sizeof evidence);
    cJSON_AddStringToObject(json, "record", "case");
    cJSON_AddStringToObject(json, "driver", item->driver);
    cJSON_AddStringToObject(json, "clause", item->clause->id);
    cJSON_AddStringToObject(json, "level", clause_level(item->clause));
    cJSON_AddStringToObject(json, "title", item->clause->promise);
    cJSON_AddNumberToObject(json, "round", item->round + 1.0);
    cJSON_AddStringToObject(json, "verdict", verdict_name(item->verdict));
    cJSON_AddStringToObject(json, "seen", verdict_name(item->seen));
    add_text(json, "class", item->violation);
    add_text(json, "missing", item->missing);
    cJSON_AddStringToObject(json, "text", text != NULL ? record_without_folders(text) : "");
    cJSON_AddNumberToObject(json, "seconds", item->seconds);
    cJSON_AddNumberToObject(json, "seed", (double)item->seed);
    add_counts(json, item);
    cJSON_AddItemToObject(json, "figures",
                          item->figures != NULL ? cJSON_Duplicate(item->figures, 1) : cJSON_CreateArray());
    add_text(json, "evidence", evidence);
    free(text);
    return json;
}

/* ---- and back ---------------------------------------------------------------------------------------------------- */

static bool read_verdict(verdict *out, const char *name)
{
    for (verdict value = 0; value < VERDICT_COUNT; ++value)
        if (strcmp(name, verdict_name(value)) == 0) {
            *out = value;
            return true;
        }
    return false;
}

static const char *find_driver(const char *name, const contender *contenders, size_t count)
{
    for (size_t i = 0; i < count; ++i)
        if (strcmp(contenders[i].name, name) == 0)
            return contenders[i].name;
    return NULL;
}

static char *from_here(const char *folder, const char *path)
{
    char *text;
    if (path[0] == '\0' || asprintf(&text, "%s%s%s", folder, folder[0] != '\0' ? "/" : "", path) < 0)
        return NULL;
    return text;
}

bool record_case_restore(result *out, const cJSON *json, const contender *contenders, size_t contender_count,
                         const char *folder)
{
    const cJSON *seconds = cJSON_GetObjectItemCaseSensitive(json, "seconds");
    const cJSON *figures = cJSON_GetObjectItemCaseSensitive(json, "figures");
    result item = {.driver = find_driver(json_text(json, "driver"), contenders, contender_count),
                   .clause = clause_find(json_text(json, "clause")),
                   .round = (unsigned)json_number(json, "round") - 1,
                   .seconds = cJSON_IsNumber(seconds) ? seconds->valuedouble : 0,
                   .seed = json_number(json, "seed"),
                   .messages = json_number(json, "messages"),
                   .must = json_number(json, "must"),
                   .received = json_number(json, "received"),
                   .violations = json_number(json, "violations"),
                   .kills_inside = json_number(json, "kills_inside")};
    if (strcmp(json_text(json, "record"), "case") != 0 || item.driver == NULL || item.clause == NULL ||
        json_number(json, "round") == 0 || json_number(json, "round") > OPTIONS_ROUNDS ||
        !read_verdict(&item.seen, json_text(json, "seen")))
        return false;
    item.verdict = item.seen; /* the expectations are asked again */
    snprintf(item.violation, sizeof item.violation, "%s", json_text(json, "class"));
    snprintf(item.missing, sizeof item.missing, "%s", json_text(json, "missing"));
    item.text = strdup(json_text(json, "text"));
    item.figures = cJSON_GetArraySize(figures) > 0 ? cJSON_Duplicate(figures, 1) : NULL;
    item.evidence = from_here(folder, json_text(json, "evidence"));
    *out = item;
    return true;
}
