#include "mutant.h"

#include <stdlib.h>

enum { RING_BYTES = 4194304 };

typedef struct {
    atomic_ullong head; /* bytes that were published */
} ring;

static size_t size_of(const ipcmark_part *parts, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; ++i)
        size += parts[i].size;
    return size;
}

/* turn: where a subscriber reads. */
static int find_head(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    ring *shared = mutant_share(options->directory, sizeof *shared);
    if (shared != NULL)
        endpoint->turn = atomic_load(&shared->head);
    return 0;
}

static int publish(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    ring *shared = mutant_share(endpoint->directory, sizeof *shared);
    if (shared != NULL)
        atomic_fetch_add(&shared->head, size_of(parts, count));
    return mutant_publish(endpoint, parts, count);
}

static void deliver(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    ring *shared = mutant_share(endpoint->directory, sizeof *shared);
    const unsigned long long at = atomic_fetch_add(&endpoint->turn, size_of(parts, count));
    if (shared == NULL || atomic_load(&shared->head) - at <= RING_BYTES)
        mutant_deliver(endpoint, parts, count);
}

MUTANT(.name = "drop_when_full", .fault = "a ring of 4 MiB overwrites what a slow subscriber has not read yet",
       .class_name = "lost", .must_fail = "PACE-003 PACE-009",
       .may_fail = "*" /* its limit is low: on a slow machine any burst reaches it */,
       .needs = IPCMARK_CAP_WHEN_FULL_BLOCK, .before_open = find_head, .publish = publish, .deliver = deliver)
