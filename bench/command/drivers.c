#include "drivers.h"

#include <stdio.h>
#include <string.h>

#include <ipcmark/control.h>

#include "../rows/row.h"

static void add_capabilities(cJSON *json, uint64_t capabilities)
{
    cJSON *list = cJSON_AddArrayToObject(json, "capabilities");

    for (unsigned bit = 0; bit < 64 && ipcmark_capability_name(bit) != NULL; ++bit)
        if (capabilities >> bit & 1)
            cJSON_AddItemToArray(list, cJSON_CreateString(ipcmark_capability_name(bit)));
}

static cJSON *describe(const ipcmark_implementation *implementation, const ipcmark_target *target, const char *driver)
{
    cJSON *json = cJSON_CreateObject();
    char label[ROW_NAME_BYTES], digest[IPCMARK_DIGEST_SIZE];

    row_driver_label(label, sizeof label, driver);
    cJSON_AddStringToObject(json, "name", label);
    row_driver_label(label, sizeof label, target->driver);
    cJSON_AddStringToObject(json, "driver", label);
    cJSON_AddStringToObject(json, "version", implementation->version);
    cJSON_AddStringToObject(json, "summary", implementation->summary);
    cJSON_AddStringToObject(json, "homepage", implementation->homepage);
    add_capabilities(json, implementation->capabilities);
    ipcmark_target_digest(digest, target);
    if (digest[0] == '\0')
        cJSON_AddNullToObject(json, "digest");
    else
        cJSON_AddStringToObject(json, "digest", digest);
    return json;
}

cJSON *drivers_probe(const struct options *options, int *exit_code)
{
    cJSON *drivers = cJSON_CreateArray();
    ipcmark_session *session;

    *exit_code = 0;
    const int error = ipcmark_session_open(&session);
    if (error < 0) {
        fprintf(stderr, "ipcmark bench: cannot begin: %s\n", strerror(-error));
        *exit_code = 3;
        goto out;
    }
    for (size_t i = 0; i < options->driver_count && *exit_code == 0; ++i) {
        ipcmark_target target = {.driver = row_driver_spec(options->drivers[i])};
        ipcmark_implementation implementation;
        if (ipcmark_probe(session, &target, &implementation) < 0) {
            fprintf(stderr, "ipcmark bench: driver '%s' cannot be used: %s\n", options->drivers[i],
                    ipcmark_session_text(session));
            *exit_code = 3;
        } else {
            cJSON_AddItemToArray(drivers, describe(&implementation, &target, options->drivers[i]));
        }
    }
    if (ipcmark_session_interrupted(session) != 0)
        *exit_code = 128 + ipcmark_session_interrupted(session);
    if (ipcmark_session_close(session) < 0)
        *exit_code = 3;
out:
    if (*exit_code != 0) {
        cJSON_Delete(drivers);
        drivers = NULL;
    }
    return drivers;
}
