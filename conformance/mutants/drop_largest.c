#include "mutant.h"

enum { MOST = (1 << 24) - 1 };

static int drop_largest(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; ++i)
        total += parts[i].size;
    return total > MOST ? 0 : mutant_publish(endpoint, parts, count);
}

MUTANT(.name = "drop_largest", .fault = "a message whose length does not fit into 24 bits is published to nobody",
       .class_name = "lost", .must_fail = "DEL-014", .may_fail = "", .publish = drop_largest)
