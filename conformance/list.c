#include "list.h"

#include "result.h"

#include <stdio.h>

/* "multipart, peers", or "nothing". */
static void print_needs(const clause *about)
{
    const char *name, *separator = "";
    for (unsigned bit = 0; (name = ipcmark_capability_name(bit)) != NULL; ++bit)
        if ((about->needs & ((uint64_t)1 << bit)) != 0) {
            printf("%s%s", separator, name);
            separator = ", ";
        }
    if (about->needs == 0)
        fputs("nothing", stdout);
}

int list_clauses(const command_options *options)
{
    const clause *about;
    for (size_t i = 0; (about = clause_at(i)) != NULL; ++i) {
        if (!options_select(options, about))
            continue;
        printf("%-9s %-6s ", about->id, clause_level(about));
        printf(about->seconds < 1 ? " <1 s" : "%3.0f s", about->seconds);
        printf("  %s  (needs ", about->promise);
        print_needs(about);
        puts(")");
    }
    return EXIT_HOLDS;
}

static cJSON *clause_json(const clause *about)
{
    cJSON *json = cJSON_CreateObject(), *needs = cJSON_CreateArray();
    const char *name;
    for (unsigned bit = 0; (name = ipcmark_capability_name(bit)) != NULL; ++bit)
        if ((about->needs & ((uint64_t)1 << bit)) != 0)
            cJSON_AddItemToArray(needs, cJSON_CreateString(name));
    cJSON_AddStringToObject(json, "id", about->id);
    cJSON_AddStringToObject(json, "level", clause_level(about));
    cJSON_AddStringToObject(json, "promise", about->promise);
    cJSON_AddItemToObject(json, "needs", needs);
    cJSON_AddNumberToObject(json, "publishers", about->publishers);
    cJSON_AddNumberToObject(json, "subscribers", about->subscribers);
    cJSON_AddNumberToObject(json, "seconds", about->seconds);
    cJSON_AddBoolToObject(json, "heavy", about->heavy);
    return json;
}

int list_clauses_json(const command_options *options)
{
    cJSON *json = cJSON_CreateObject(), *clauses = cJSON_CreateArray();
    const clause *about;
    char *text;
    cJSON_AddNumberToObject(json, "contract_version", CONTRACT_VERSION);
    cJSON_AddItemToObject(json, "clauses", clauses);
    for (size_t i = 0; (about = clause_at(i)) != NULL; ++i)
        if (options_select(options, about))
            cJSON_AddItemToArray(clauses, clause_json(about));
    text = cJSON_Print(json);
    if (text != NULL)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(json);
    return text != NULL ? EXIT_HOLDS : EXIT_ERROR;
}
