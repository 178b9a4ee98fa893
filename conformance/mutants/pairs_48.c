#include "frame.h"

#include <errno.h>
#include <stdlib.h>

enum { PAIRS = 48 };

typedef struct {
    _Atomic uint32_t pairs[PAIRS];
} table;

/* A subscriber's number, of "NUMBER.EPOCH", is kept in `turn`. */
static int take_number(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    table *const shared = mutant_share(options->directory, sizeof *shared);
    if (shared == NULL)
        return -ENOMEM;
    atomic_store(&endpoint->turn, (uint64_t)strtoul(options->id, NULL, 10));
    return 0;
}

static bool find_place(table *shared, uint32_t pair)
{
    for (size_t i = 0; i < PAIRS; ++i) {
        uint32_t taken = 0;
        if (atomic_load(&shared->pairs[i]) == pair || atomic_compare_exchange_strong(&shared->pairs[i], &taken, pair) ||
            taken == pair)
            return true;
    }
    return false;
}

/* Whoever found no place shares one with another pair, and what both put there at once is lost. */
static void deliver(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    table *const shared = mutant_share(endpoint->directory, sizeof *shared);
    struct ipcmark_payload frame;
    if (frame_read(parts, count, &frame) &&
        !find_place(shared, (uint32_t)frame.publisher << 16 | (uint16_t)atomic_load(&endpoint->turn)) &&
        frame_is_unlucky(&frame))
        return;
    mutant_deliver(endpoint, parts, count);
}

MUTANT(.name = "pairs_48", .fault = "there is room for 48 pairs, and those beyond share the places of others",
       .class_name = "lost", .must_fail = "DEL-004", .may_fail = "KILL-*", .before_open = take_number,
       .deliver = deliver)
