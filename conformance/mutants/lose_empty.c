#include "mutant.h"

static int lose(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; ++i)
        size += parts[i].size;
    return size == 0 ? 0 : mutant_publish(endpoint, parts, count);
}

MUTANT(.name = "lose_empty", .fault = "messages without bytes are lost", .class_name = "lost", .must_fail = "DEL-012",
       .may_fail = "DEL-015", .needs = IPCMARK_CAP_EMPTY_MESSAGE, .publish = lose)
