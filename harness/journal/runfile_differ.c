#include "runfile_differ.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

static bool is_unknown(const cJSON *item)
{
    return item == NULL || cJSON_IsNull(item);
}

/* A value as it is said in a sentence: a text without its quotes. */
static void value_say(const cJSON *item, char text[64])
{
    const char *string = cJSON_GetStringValue(item);
    char *printed = is_unknown(item) || string != NULL ? NULL : cJSON_PrintUnformatted(item);
    snprintf(text, 64, "%s", string != NULL ? string : printed != NULL ? printed : "unknown");
    cJSON_free(printed);
}

/* 0: they are the same. */
static int values_differ(const cJSON *theirs, const cJSON *ours, const char *what, char *text, size_t size)
{
    char before[64], now[64];
    if ((is_unknown(theirs) && is_unknown(ours)) || cJSON_Compare(theirs, ours, 1))
        return 0;
    value_say(theirs, before);
    value_say(ours, now);
    snprintf(text, size, "its %s is %s, and this one's %s", what, before, now);
    return -EBADMSG;
}

static int members_differ(const cJSON *theirs, const cJSON *ours, const char *name, const char *what, char *text,
                          size_t size)
{
    return values_differ(cJSON_GetObjectItemCaseSensitive(theirs, name), cJSON_GetObjectItemCaseSensitive(ours, name),
                         what, text, size);
}

static int drivers_differ(const cJSON *theirs, const cJSON *ours, char *text, size_t size)
{
    static const char *const fields[] = {"name", "driver", "version", "digest"};
    int count = cJSON_GetArraySize(ours), error = 0;
    if (cJSON_GetArraySize(theirs) != count) {
        snprintf(text, size, "it has %d drivers, and this one %d", cJSON_GetArraySize(theirs), count);
        return -EBADMSG;
    }
    for (int i = 0; i < count; ++i) {
        const cJSON *now = cJSON_GetArrayItem(ours, i);
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(now, "name"));
        for (size_t field = 0; error == 0 && field < sizeof fields / sizeof fields[0]; ++field) {
            char what[128];
            if (field == 0)
                snprintf(what, sizeof what, "driver %d", i + 1);
            else
                snprintf(what, sizeof what, "%s of driver %s", fields[field], name == NULL ? "?" : name);
            error = members_differ(cJSON_GetArrayItem(theirs, i), now, fields[field], what, text, size);
        }
    }
    return error;
}

int runfile_differ(const cJSON *theirs, const cJSON *ours, const cJSON *more, char *text, size_t size)
{
    const cJSON *environment = cJSON_GetObjectItemCaseSensitive(theirs, "environment"), *member;
    int error = members_differ(theirs, ours, "kind", "kind", text, size);
    if (error == 0)
        error = members_differ(theirs, ours, "suite_version", "version of ipcmark", text, size);
    if (error == 0)
        error = members_differ(environment, cJSON_GetObjectItemCaseSensitive(ours, "environment"), "commit", "commit",
                               text, size);
    if (error == 0)
        error = members_differ(theirs, ours, "seed", "seed", text, size);
    cJSON_ArrayForEach(member, more)
    {
        if (error == 0)
            error = members_differ(theirs, more, member->string, member->string, text, size);
    }
    if (error == 0)
        error = drivers_differ(cJSON_GetObjectItemCaseSensitive(theirs, "drivers"),
                               cJSON_GetObjectItemCaseSensitive(ours, "drivers"), text, size);
    if (error == 0)
        error = members_differ(theirs, ours, "manifest", "manifest (of what was planned)", text, size);
    return error != 0 ? error : members_differ(theirs, ours, "planned", "number of planned records", text, size);
}
