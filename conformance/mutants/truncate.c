#include "mutant.h"

#include <errno.h>
#include <stdlib.h>

static int truncate_one(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    mutant_copy *copy;
    int result;
    if (mutant_turn(endpoint) % 53 != 50 || count == 0 || parts[count - 1].size == 0)
        return mutant_publish(endpoint, parts, count);
    copy = mutant_copy_message(parts, count);
    if (copy == NULL)
        return -ENOMEM;
    --copy->parts[count - 1].size;
    result = mutant_publish(endpoint, copy->parts, count);
    free(copy);
    return result;
}

MUTANT(.name = "truncate", .fault = "every 53rd message lacks its last byte", .class_name = "corrupt",
       .must_fail = "DEL-005", .may_fail = "*", .publish = truncate_one)
