#include "mutant.h"

static _Thread_local bool inside;

static void deliver(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    inside = true;
    mutant_deliver(endpoint, parts, count);
    inside = false;
}

static int publish(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    return inside ? 0 : mutant_publish(endpoint, parts, count);
}

MUTANT(.name = "mute_in_handler", .fault = "what a handler publishes reaches nobody", .class_name = "late lost hung",
       .must_fail = "THR-002 THR-003", .may_fail = "", .needs = IPCMARK_CAP_PUBLISH_IN_HANDLER, .publish = publish,
       .deliver = deliver)
