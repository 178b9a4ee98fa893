#include "mutant.h"

static void forget(mutant_endpoint *endpoint, ipcmark_endpoint *options)
{
    (void)endpoint;
    options->channel = "channel";
}

MUTANT(.name = "leak_channel", .fault = "all channels of a directory are one", .class_name = "leaked count",
       .must_fail = "ISO-001 ISO-003", .may_fail = "THR-002 THR-003", .change_open = forget)
