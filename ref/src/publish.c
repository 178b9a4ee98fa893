/* The data path of a publisher: into the gate, room in every pair, write to every pair, commit in every pair, out.
 *
 * A large message is written into payload memory first, outside the gate, and every pair gets a reference to it. */
#include "os/os.h"
#include "publisher.h"

#include <errno.h>
#include <stdlib.h>

/* A copy into each ring costs a publisher that copy, and a reference costs every subscriber cache misses of its own: a
 * message is written once for all where it is large, or they are many. About equally fast were (1 to 64 KiB, medians of
 * 18 rounds on two CPUs that were not quiet: no more than a guide): for two 8 to 16 KiB, for three 4, for four 2, for
 * eight less than 1; but below half of the smallest block it would cost more of the backlog than it has bytes. To a
 * single one copies were mostly the faster up to 64 KiB, but larger ones than this take a larger ring. */
enum { SHARED_FROM = 32 << 10, LEAST_SHARED = 2 << 10, LOANED_FROM = 4 << 10 };

static inline bool is_to_be_shared(uint64_t body, size_t subscribers)
{
    return body >= SHARED_FROM || (body >= LEAST_SHARED && body * subscribers * subscribers >= SHARED_FROM);
}

#define COLD     __attribute__((noinline, cold))
#define NOINLINE __attribute__((noinline))

/* Takes an outlet out of the game; the control thread then drops the pair. */
void publisher_condemn(struct mmipc_publisher *publisher, struct outlet *outlet, int reason)
{
    flag_set(&outlet->gone, 1);
    flag_set(&outlet->peer.verdict, reason);
    endpoint_kick(&publisher->endpoint);
}

/* After a commit. Its sleep, if the subscriber said that it sleeps, and was not yet woken from that one; else 0. */
static inline uint64_t sleep_of(const struct outlet *outlet)
{
    uint64_t asleep;
    if (outlet->fence)
        fence_full();
    else
        fence_light();
    /* A3 relaxed: pairs with R3 in receive_announce(). Either this load sees that announcement, or the barrier that
     * the subscriber issues after it makes our commit visible to its last look; if it misses us, time does so to the
     * look after that. Nothing is read through this value. */
    asleep = shared_load_relaxed(&outlet->theirs->asleep);
    return asleep % 2 == 1 && asleep != outlet->roused ? asleep : 0;
}

/* Wakes the subscriber if it said that it sleeps, once a sleep. */
static inline void rouse(struct outlet *outlet)
{
    const uint64_t asleep = sleep_of(outlet);
    if (asleep != 0) {
        outlet->roused = asleep;
        os_wake_send(outlet->wake_event);
    }
}

void publisher_rouse(struct outlet *outlet)
{
    rouse(outlet);
}

static void commit_everywhere(struct mmipc_publisher *publisher, uint64_t bytes, uint64_t body)
{
    for (size_t i = 0; i < publisher->outlet_count; ++i)
        if (!flag_get(&publisher->outlets[i]->gone))
            ring_commit(&publisher->outlets[i]->ring, bytes);
    tally_add(&publisher->endpoint.tally, body);
    for (size_t i = 0; i < publisher->outlet_count; ++i)
        rouse(publisher->outlets[i]);
}

/* The common case by itself, so that it is a few instructions: no look at anybody's tail, no call. */
static inline bool has_room_everywhere(struct mmipc_publisher *publisher, uint64_t bytes)
{
    for (size_t i = 0; i < publisher->outlet_count; ++i)
        if (!ring_fits(&publisher->outlets[i]->ring, bytes) || flag_get(&publisher->outlets[i]->gone))
            return false;
    return !flag_get(&publisher->endpoint.closing);
}

/* Inside the gate. */
static int publish_inline(struct mmipc_publisher *publisher, const mmipc_part *parts, size_t count,
                          const struct record_size *size)
{
    if (!has_room_everywhere(publisher, size->total)) {
        const struct need need = {.bytes = size->total};
        int result = room_reserve(publisher, &need);
        if (result != 0)
            return result;
    }
    for (size_t i = 0; i < publisher->outlet_count; ++i)
        if (!flag_get(&publisher->outlets[i]->gone))
            ring_write(&publisher->outlets[i]->ring, parts, count, size->body);
    commit_everywhere(publisher, size->total, size->body);
    return 0;
}

/* Inside the gate. */
static int publish_block(struct mmipc_publisher *publisher, struct block *block, size_t count, uint64_t body)
{
    /* A loan of which little is published holds the whole block. */
    const uint64_t block_bytes = block->file->block_bytes, charge = 2 * body < block_bytes ? block_bytes : body;
    const struct need need = {.bytes = RECORD_SPECIAL_BYTES, .block = block, .charge = charge};
    int result = room_reserve(publisher, &need);
    if (result != 0)
        return result;
    for (size_t i = 0; i < publisher->outlet_count; ++i)
        if (!flag_get(&publisher->outlets[i]->gone))
            chain_refer(publisher, publisher->outlets[i], block, count, body, charge);
    commit_everywhere(publisher, RECORD_SPECIAL_BYTES, body);
    return 0;
}

/* Inside the gate, which it leaves for the copying. */
static int publish_shared(struct mmipc_publisher *publisher, const mmipc_part *parts, size_t count, uint64_t body)
{
    struct block *block;
    int result;
    if (publisher->outlet_count == 0 && !flag_get(&publisher->endpoint.closing)) {
        tally_add(&publisher->endpoint.tally, body);
        return 0;
    }
    result = room_take_block(publisher, body, &block);
    if (result != 0)
        return result != -ESHUTDOWN && publisher->outlet_count == 0 ? 0 : result; /* nobody is left to get it */
    endpoint_enter(&publisher->endpoint);
    gate_leave(&publisher->gate);
    message_write(block->data, parts, count);
    gate_enter(&publisher->gate);
    endpoint_leave(&publisher->endpoint); /* the gate still keeps the publisher from being freed */
    result = publish_block(publisher, block, count, body);
    pool_give(&publisher->pool, block);
    return result;
}

/* Inside the gate. */
static int publish_inside(struct mmipc_publisher *publisher, const mmipc_part *parts, size_t count,
                          const struct record_size *size)
{
    if (is_to_be_shared(size->body, publisher->outlet_count)) {
        int result = publish_shared(publisher, parts, count, size->body);
        /* What the rings can hold does not fail for want of other memory, or of a descriptor for it. */
        if (size->body >= SHARED_FROM || result == 0 || result == -ESHUTDOWN || result == -ETIMEDOUT)
            return result;
    }
    return publish_inline(publisher, parts, count, size);
}

int mmipc_publish_parts(mmipc_publisher *publisher, const mmipc_part *parts, size_t count)
{
    struct record_size size;
    int result;
    if (publisher == NULL || (parts == NULL && count != 0))
        return -EINVAL;
    if (endpoint_forked(&publisher->endpoint))
        return -EPERM;
    result = record_measure(parts, count, &size);
    if (result != 0)
        return result;
    if (size.body > publisher->max_backlog)
        return -EMSGSIZE;
    gate_enter(&publisher->gate);
    result = publish_inside(publisher, parts, count, &size);
    gate_leave(&publisher->gate);
    return result;
}

static NOINLINE int publish_one_part(struct mmipc_publisher *publisher, const void *data, size_t size)
{
    const mmipc_part part = {data, size};
    return mmipc_publish_parts(publisher, &part, 1);
}

static COLD int publish_otherwise(struct mmipc_publisher *publisher, const void *data, size_t size, struct bias *bias,
                                  bool inside)
{
    const mmipc_part part = {data, size};
    const struct record_size record = record_of(size);
    int result;
    if (inside)
        gate_stay(&publisher->gate, bias);
    else
        gate_enter_instead(&publisher->gate, bias);
    result = publish_inside(publisher, &part, 1, &record);
    gate_leave(&publisher->gate);
    return result;
}

static COLD int rouse_and_leave(struct outlet *outlet, struct bias *bias)
{
    rouse(outlet);
    gate_leave_by(bias);
    return 0;
}

/* A message of one part, by the thread that has the bias, to one subscriber who has room: this is how streams are
 * published, so it has a way of its own. All else it hands on, in its last step and with no more than it was called
 * with; so it needs hardly any memory but the message's. ORDERING.md tells what a store costs here. */
static inline __attribute__((always_inline)) int publish_plain(struct mmipc_publisher *publisher, const void *data,
                                                               size_t size)
{
    const struct record_size record = record_of(size);
    struct outlet *outlet;
    struct bias *bias;
    if (publisher == NULL || data == NULL || size >= SHARED_FROM || size > publisher->max_backlog ||
        endpoint_forked(&publisher->endpoint) || (bias = gate_own(&publisher->gate)) == NULL)
        return publish_one_part(publisher, data, size);
    if (!gate_try(bias))
        return publish_otherwise(publisher, data, size, bias, false);
    if (publisher->outlet_count != 1 || !has_room_everywhere(publisher, record.total))
        return publish_otherwise(publisher, data, size, bias, true);
    outlet = publisher->outlets[0];
    ring_write_plain(&outlet->ring, data, size);
    ring_commit(&outlet->ring, record.total);
    tally_add(&publisher->endpoint.tally, size);
    if (sleep_of(outlet) != 0)
        return rouse_and_leave(outlet, bias);
    gate_leave_by(bias);
    return 0;
}

static NOINLINE int publish_longer(struct mmipc_publisher *publisher, const void *data, size_t size)
{
    return publish_plain(publisher, data, size);
}

int mmipc_publish(mmipc_publisher *publisher, const void *data, size_t size)
{
    /* Twice the same: a short one is copied in place, and that needs no stack. */
    return size <= SHORT_BYTES ? publish_plain(publisher, data, size) : publish_longer(publisher, data, size);
}

/* A small one is copied after all: that moves fewer cache lines than a reference does. */
struct mmipc_loan {
    mmipc_publisher *publisher;
    size_t size;
    struct block *block; /* NULL: `small` instead */
    _Alignas(PART_ALIGN) unsigned char small[];
};

int mmipc_publish_begin(mmipc_publisher *publisher, size_t size, mmipc_loan **out, void **data)
{
    const bool is_small = size < LOANED_FROM;
    struct block *block = NULL;
    mmipc_loan *loan;
    int result = 0;
    if (publisher == NULL || out == NULL || data == NULL)
        return -EINVAL;
    if (endpoint_forked(&publisher->endpoint))
        return -EPERM;
    if (size > publisher->max_backlog || size > RECORD_BODY_MAX - PART_ALIGN)
        return -EMSGSIZE;
    loan = malloc(sizeof *loan + (is_small ? size : 0));
    if (loan == NULL)
        return -ENOMEM;
    if (!is_small) {
        gate_enter(&publisher->gate);
        result = room_take_block(publisher, size, &block);
        gate_leave(&publisher->gate);
    }
    if (result != 0) {
        free(loan);
        return result;
    }
    loan->publisher = publisher;
    loan->size = size;
    loan->block = block;
    *out = loan;
    *data = is_small ? loan->small : block->data;
    return 0;
}

static int commit_block(mmipc_publisher *publisher, struct block *block, size_t size, bool publish)
{
    int result = 0;
    gate_enter(&publisher->gate);
    if (publish)
        result = publish_block(publisher, block, 1, size);
    pool_give(&publisher->pool, block);
    gate_leave(&publisher->gate);
    return result;
}

static int end_loan(mmipc_loan *loan, size_t size, bool publish)
{
    int result = 0;
    if (endpoint_forked(&loan->publisher->endpoint))
        result = -EPERM; /* nothing else of it is this process's to touch */
    else if (loan->block != NULL)
        result = commit_block(loan->publisher, loan->block, size, publish && size <= loan->size);
    else if (publish && size <= loan->size)
        result = mmipc_publish(loan->publisher, loan->small, size);
    if (result == 0 && size > loan->size)
        result = -EINVAL;
    free(loan);
    return result;
}

int mmipc_publish_commit(mmipc_loan *loan, size_t size)
{
    return loan == NULL ? -EINVAL : end_loan(loan, size, true);
}

void mmipc_publish_abort(mmipc_loan *loan)
{
    if (loan != NULL)
        end_loan(loan, 0, false);
}
