#include "mutant.h"

#include <errno.h>
#include <stdlib.h>

static int corrupt(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    const uint64_t turn = mutant_turn(endpoint);
    mutant_copy *copy;
    unsigned char *last;
    int result;
    if (turn % 211 != 100 || count == 0 || parts[count - 1].size == 0)
        return mutant_publish(endpoint, parts, count);
    copy = mutant_copy_message(parts, count);
    if (copy == NULL)
        return -ENOMEM;
    last = (unsigned char *)(uintptr_t)copy->parts[count - 1].data + copy->parts[count - 1].size - 1;
    *last ^= (unsigned char)(1u << (turn % 8));
    result = mutant_publish(endpoint, copy->parts, count);
    free(copy);
    return result;
}

MUTANT(.name = "corrupt", .fault = "a bit of every 211th message is flipped", .class_name = "corrupt phantom",
       .must_fail = "DEL-001 DEL-002 DEL-003 DEL-004 DEL-005", .may_fail = "*", .publish = corrupt)
