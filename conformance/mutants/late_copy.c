#include "mutant.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What it remembers of a message is where the caller had it, and no byte. */
typedef struct {
    size_t count;
    ipcmark_part parts[];
} reference;

static int copy_late(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    reference *earlier;
    if (mutant_turn(endpoint) % 100 == 50) {
        reference *held = malloc(sizeof *held + count * sizeof *parts);
        if (held == NULL)
            return -ENOMEM;
        held->count = count;
        memcpy(held->parts, parts, count * sizeof *parts);
        free(atomic_exchange(&endpoint->state, held));
        return 0;
    }
    earlier = atomic_exchange(&endpoint->state, NULL);
    if (earlier != NULL)
        mutant_publish(endpoint, earlier->parts, earlier->count);
    free(earlier);
    return mutant_publish(endpoint, parts, count);
}

MUTANT(.name = "late_copy", .fault = "every 100th message is read from the caller's buffer after publish has returned",
       .class_name = "corrupt lost duplicate", .must_fail = "DEL-007", .may_fail = "*", .publish = copy_late)
