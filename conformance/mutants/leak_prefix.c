#include "mutant.h"

#include <string.h>

enum { SOCKET_NAME = 107 }; /* bytes */

static void cut(mutant_endpoint *endpoint, ipcmark_endpoint *options)
{
    char *name = strndup(options->channel, SOCKET_NAME);
    if (name == NULL)
        return;
    endpoint->state = name;
    options->channel = name;
}

MUTANT(.name = "leak_prefix", .fault = "a channel's name is cut to what the name of a socket takes",
       .class_name = "leaked count", .must_fail = "ISO-003", .may_fail = "", .change_open = cut)
