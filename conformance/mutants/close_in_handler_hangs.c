#include "mutant.h"

#include <poll.h>

static _Thread_local mutant_endpoint *delivering;

static void deliver(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    delivering = endpoint;
    mutant_deliver(endpoint, parts, count);
    delivering = NULL;
}

/* It waits for the handler that it was called from. */
static void wait_for_handler(mutant_endpoint *endpoint)
{
    if (delivering == endpoint)
        poll(NULL, 0, 60000);
}

MUTANT(.name = "close_in_handler_hangs", .fault = "close waits for a running handler, also for the one that calls it",
       .class_name = "hung", .must_fail = "THR-005", .may_fail = "", .needs = IPCMARK_CAP_CLOSE_IN_HANDLER,
       .deliver = deliver, .before_close = wait_for_handler)
