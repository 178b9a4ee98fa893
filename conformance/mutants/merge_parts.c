#include "mutant.h"

#include <errno.h>
#include <stdlib.h>

/* The copy's bytes lie one part after the other. */
static int merge(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    mutant_copy *copy;
    int result;
    if (count < 2)
        return mutant_publish(endpoint, parts, count);
    copy = mutant_copy_message(parts, count);
    if (copy == NULL)
        return -ENOMEM;
    for (size_t i = 1; i < count; ++i)
        copy->parts[0].size += parts[i].size;
    result = mutant_publish(endpoint, copy->parts, 1);
    free(copy);
    return result;
}

MUTANT(.name = "merge_parts", .fault = "the parts of a message are delivered as one", .class_name = "corrupt",
       .must_fail = "DEL-006", .may_fail = "DEL-015", .needs = IPCMARK_CAP_MULTIPART, .publish = merge)
