#include "mutant.h"

#include <string.h>

static void lower(mutant_endpoint *endpoint, ipcmark_endpoint *options)
{
    char *name = strdup(options->channel);
    if (name == NULL)
        return;
    for (char *at = name; *at != '\0'; ++at)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    endpoint->state = name;
    options->channel = name;
}

MUTANT(.name = "leak_case", .fault = "channels whose names differ in case only are one", .class_name = "leaked count",
       .must_fail = "ISO-003", .may_fail = "", .change_open = lower)
