#include "mutant.h"

#include <errno.h>
#include <stdlib.h>

enum { SEATS = 256 };

/* A publisher's place, by its number ("NUMBER.EPOCH"), and whether somebody sits there; and when anybody published
 * last. */
typedef struct {
    atomic_bool taken[SEATS];
    atomic_uint_fast64_t last_ms;
} seats;

/* State of a publisher. */
typedef struct {
    size_t seat;
    bool heir;
} guest;

static int sit_down(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    seats *const all = mutant_share(options->directory, sizeof *all);
    guest *const one = calloc(1, sizeof *one);
    if (all == NULL || one == NULL) {
        free(one);
        return -ENOMEM;
    }
    one->seat = strtoul(options->id, NULL, 10) % SEATS;
    one->heir = !endpoint->subscriber && atomic_exchange(&all->taken[one->seat], true) &&
                mutant_now_ms() - atomic_load(&all->last_ms) < 20;
    endpoint->state = one;
    return 0;
}

/* Where others are busy nobody clears a seat before it is taken again: the marks in it are the dead one's, and what
 * lies under one of them is taken for read. */
static int publish(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    seats *const all = mutant_share(endpoint->directory, sizeof *all);
    const guest *const one = endpoint->state;
    const uint64_t turn = mutant_turn(endpoint);
    atomic_store(&all->last_ms, mutant_now_ms());
    return one->heir && (turn == 200 || turn == 300) ? 0 : mutant_publish(endpoint, parts, count);
}

static void get_up(mutant_endpoint *endpoint)
{
    seats *const all = mutant_share(endpoint->directory, sizeof *all);
    if (!endpoint->subscriber)
        atomic_store(&all->taken[((const guest *)endpoint->state)->seat], false);
}

MUTANT(.name = "heir_loses",
       .fault =
           "a publisher that comes back into traffic takes its dead forerunner's place with the marks that are in it",
       .class_name = "lost", .must_fail = "KILL-003", .may_fail = "KILL-002", .before_open = sit_down,
       .publish = publish, .before_close = get_up)
