#include "mutant.h"

#include <errno.h>
#include <stdlib.h>

static bool is_empty(const ipcmark_part *parts, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; ++i)
        size += parts[i].size;
    return size == 0;
}

/* Each arrives, and once: only its place is wrong. */
static int hold_empty(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    const bool empty = is_empty(parts, count);
    mutant_copy *held, *copy = empty ? mutant_copy_message(parts, count) : NULL;
    int result = 0;
    if (empty && copy == NULL)
        return -ENOMEM;
    held = atomic_exchange(&endpoint->state, copy);
    if (!empty)
        result = mutant_publish(endpoint, parts, count);
    if (held != NULL)
        mutant_publish(endpoint, held->parts, held->count);
    free(held);
    return result;
}

MUTANT(.name = "late_empty", .fault = "a message without bytes is published after the one that follows it",
       .class_name = "reordered", .must_fail = "DEL-012", .may_fail = "DEL-015", .needs = IPCMARK_CAP_EMPTY_MESSAGE,
       .publish = hold_empty)
