#include "params.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *param_find(const ipcmark_endpoint *options, const char *key, const char *otherwise)
{
    const size_t length = strlen(key);
    for (const char *const *each = options->params; each != NULL && *each != NULL; ++each)
        if (strncmp(*each, key, length) == 0 && (*each)[length] == '=')
            return *each + length + 1;
    return otherwise;
}

int param_number(const ipcmark_endpoint *options, const char *key, long least, long most, long *value)
{
    const char *text = param_find(options, key, NULL);
    char *end;
    long number;
    if (text == NULL)
        return 0; /* as it was */
    errno = 0;
    number = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < least || number > most)
        return -EINVAL;
    *value = number;
    return 0;
}
