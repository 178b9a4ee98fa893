/* ipcmark-conformance: the program behind `ipcmark conformance`. */
#include "run.h"

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

static int list(void)
{
    const clause *about;
    for (size_t i = 0; (about = clause_at(i)) != NULL; ++i) {
        printf("%-9s %-6s  %s  (needs ", about->id, clause_level(about), about->promise);
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
    cJSON_AddBoolToObject(json, "heavy", about->heavy);
    return json;
}

static int list_json(void)
{
    cJSON *json = cJSON_CreateObject(), *clauses = cJSON_CreateArray();
    const clause *about;
    char *text;
    cJSON_AddNumberToObject(json, "contract_version", CONTRACT_VERSION);
    cJSON_AddItemToObject(json, "clauses", clauses);
    for (size_t i = 0; (about = clause_at(i)) != NULL; ++i)
        cJSON_AddItemToArray(clauses, clause_json(about));
    text = cJSON_Print(json);
    if (text != NULL)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(json);
    return text != NULL ? EXIT_HOLDS : EXIT_ERROR;
}

static int run(const command_options *options)
{
    ipcmark_session *session;
    int code = ipcmark_session_open(&session);
    if (code < 0) {
        fprintf(stderr, "ipcmark conformance: cannot begin: %s\n", strerror(-code));
        return EXIT_ERROR;
    }
    code = (options->action == ACTION_MUTANTS ? run_mutants : run_clauses)(session, options);
    if (ipcmark_session_close(session) < 0)
        code = EXIT_ERROR;
    return code;
}

int main(int argc, char **argv)
{
    command_options options;
    const int end = options_parse(&options, argc, argv);
    if (end != 0)
        return end - 1;
    switch (options.action) {
    case ACTION_LIST:
        return list();
    case ACTION_LIST_JSON:
        return list_json();
    case ACTION_LIST_MUTANTS:
        return run_mutants_list(&options);
    default:
        return run(&options);
    }
}
