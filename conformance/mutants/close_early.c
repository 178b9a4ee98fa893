#include "apart.h"

static int open_apart(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)options;
    return apart_open(endpoint, 0);
}

MUTANT(.name = "close_early", .fault = "close returns while the handler is still busy", .class_name = "late",
       .must_fail = "LIFE-006", .may_fail = "", .before_open = open_apart, .deliver = apart_deliver,
       .before_close = apart_close, .after_close = apart_forget)
