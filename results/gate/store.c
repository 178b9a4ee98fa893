#include "store.h"

#include "../command/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static cJSON *acceptance(const char *reason)
{
    cJSON *json = cJSON_CreateObject();
    time_t now = time(NULL);
    struct tm parts;
    char at[32] = "";

    if (gmtime_r(&now, &parts))
        strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", &parts);
    cJSON_AddStringToObject(json, "reason", reason);
    cJSON_AddStringToObject(json, "at", at);
    return json;
}

/* The text with another header, owned by the caller. */
static char *with_reason(const char *text, const char *reason)
{
    const char *end = strchr(text, '\n');
    cJSON *header = end ? cJSON_ParseWithLength(text, (size_t)(end - text)) : NULL;
    char *line, *out = NULL;

    cJSON_DeleteItemFromObjectCaseSensitive(header, "accepted");
    if (cJSON_IsObject(header))
        cJSON_AddItemToObject(header, "accepted", acceptance(reason));
    line = header ? cJSON_PrintUnformatted(header) : NULL;
    if (line && asprintf(&out, "%s%s", line, end) < 0)
        out = NULL;
    cJSON_free(line);
    cJSON_Delete(header);
    return out;
}

int store(const char *to, const char *from, const char *reason)
{
    char *text = NULL, *changed;
    int error = command_load(&text, from);

    if (error < 0)
        return command_error("gate", from, error);
    changed = with_reason(text, reason);
    free(text);
    if (changed == NULL)
        return command_failed("gate", "what is to be stored does not begin with the header of a run");
    error = command_write(to, changed);
    free(changed);
    if (error < 0)
        return command_error("gate", to, error);
    fprintf(stderr, "ipcmark gate: %s is what is compared with from now on\n", to);
    return 0;
}

/* The first driver that was measured, but this one; NULL: there is none. Limits are none. */
static const char *driver_but(const struct results_run *run, const char *this)
{
    for (size_t i = 0; i < run->cell_count; ++i) {
        const char *driver = run->cells[i].driver;
        if (strcmp(driver, "limit") != 0 && (this == NULL || strcmp(driver, this) != 0))
            return driver;
    }
    return NULL;
}

int store_check(const struct results_run *stored)
{
    const char *one = driver_but(stored, NULL), *another = one ? driver_but(stored, one) : NULL;
    const char *why = NULL;

    if (results_object(stored->header, "accepted") == NULL)
        why = "it was not stored by --accept";
    else if (one == NULL)
        why = "no driver was measured in it";
    else if (another != NULL)
        why = "more than one driver was measured in it";
    if (why == NULL)
        return 0;
    command_say("gate", "%s cannot be compared with: %s; --accept --reason TEXT --baseline FILE.jsonl makes one",
                stored->file, why);
    return EXIT_UNREADABLE;
}

/* Adds the members of two objects that are not the same. */
static void add_differences(char *text, size_t size, const cJSON *now, const cJSON *stored, const char *const *members)
{
    for (; *members != NULL; ++members) {
        const cJSON *here = cJSON_GetObjectItemCaseSensitive(now, *members);
        const cJSON *there = cJSON_GetObjectItemCaseSensitive(stored, *members);
        const size_t used = strlen(text);
        char *is, *was;
        if ((here == NULL && there == NULL) || cJSON_Compare(here, there, true))
            continue;
        is = cJSON_PrintUnformatted(here);
        was = cJSON_PrintUnformatted(there);
        snprintf(text + used, size - used, "%s%s is %.100s, and was %.100s", used > 0 ? "; " : "", *members,
                 is ? is : "unknown", was ? was : "unknown");
        cJSON_free(is);
        cJSON_free(was);
    }
}

static const cJSON *environment_of(const struct results_run *run)
{
    return results_object(run->header, "environment");
}

static const cJSON *driver_of(const struct results_run *run)
{
    const char *name = driver_but(run, NULL);
    return name ? results_driver(run, name) : NULL;
}

bool store_other_machine(const struct results_run *now, const struct results_run *stored, char *text, size_t size)
{
    static const char *const members[] = {"cpu", "cpus", "virtualization", "governor", "smt", NULL};

    text[0] = '\0';
    add_differences(text, size, environment_of(now), environment_of(stored), members);
    return text[0] != '\0';
}

bool store_other_build(const struct results_run *now, const struct results_run *stored, char *text, size_t size)
{
    static const char *const members[] = {"kernel", "compiler", "flags", NULL};
    static const char *const measured[] = {"cell_seconds", "pin", NULL}, *const driver[] = {"driver", "version", NULL};

    text[0] = '\0';
    add_differences(text, size, driver_of(now), driver_of(stored), driver);
    add_differences(text, size, environment_of(now), environment_of(stored), members);
    add_differences(text, size, now->header, stored->header, measured);
    return text[0] != '\0';
}
