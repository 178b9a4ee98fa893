#include "mutant.h"

#include <errno.h>
#include <stdlib.h>

static int leave_out(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    ipcmark_part *filled = calloc(count + 1, sizeof *filled);
    size_t left = 0;
    int result;
    if (filled == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; ++i)
        if (parts[i].size > 0 || count == 1)
            filled[left++] = parts[i];
    result = mutant_publish(endpoint, filled, left);
    free(filled);
    return result;
}

MUTANT(.name = "lose_empty_part", .fault = "empty parts of a message are left out", .class_name = "corrupt",
       .must_fail = "DEL-006", .may_fail = "DEL-015", .needs = IPCMARK_CAP_MULTIPART, .publish = leave_out)
