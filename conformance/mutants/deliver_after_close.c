#include "apart.h"

static int open_apart(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)options;
    return apart_open(endpoint, 1);
}

MUTANT(.name = "deliver_after_close", .fault = "a message that the handler's thread has taken is delivered after close",
       .class_name = "late", .must_fail = "LIFE-002 LIFE-006", .may_fail = "THR-005", .before_open = open_apart,
       .deliver = apart_deliver, .before_close = apart_close, .after_close = apart_forget)
