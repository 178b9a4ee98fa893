#include "earlier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cjson/cJSON.h>

static const char *text_of(const cJSON *record, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(record, name));
    return text == NULL ? "" : text;
}

static bool ends_run(const cJSON *record)
{
    return strcmp(text_of(record, "record"), "footer") == 0 &&
           cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(record, "interrupted"));
}

bool earlier_is_unfinished(const char *path, char *command, size_t command_size)
{
    struct stat status;
    FILE *file = stat(path, &status) == 0 && S_ISREG(status.st_mode) ? fopen(path, "re") : NULL;
    char *line = NULL;
    size_t size = 0, count = 0;
    bool finished = true; /* of an empty file nothing is lost */

    command[0] = '\0';
    while (file != NULL && getline(&line, &size, file) > 0) {
        cJSON *record = cJSON_Parse(line);
        if (count++ == 0)
            snprintf(command, command_size, "%s", text_of(record, "command"));
        finished = ends_run(record);
        cJSON_Delete(record);
    }
    if (file != NULL)
        fclose(file);
    free(line);
    return !finished;
}
