/* The memory of a pair on the publisher's side: a chain of rings that grows when the subscriber lags, and what it owes
 * of the payload files. What may be used again follows from the subscriber's tail alone. */
#include "os/os.h"
#include "publisher.h"

#include <errno.h>
#include <stdlib.h>

enum {
    LARGEST_RING_BYTES =
        64 << 20,       /* making one holds up the publisher, mapping it the control thread of the other side */
    SHARE_TO_GROW = 16, /* of the backlog: less than that is no reason for another ring, or the chain is all links */
    FAST_GROWTH = 4,    /* up to what fits into a cache, a few steps are enough; from there on memory is dear */
    SLOW_GROWTH = 2,
    TICKS_TO_SHRINK = 3
};

static int make_ring(size_t bytes, struct ring_writer *ring, int *fd)
{
    void *base;
    int error, memory = os_memory_create(bytes);
    if (memory < 0)
        return memory;
    error = os_memory_map(memory, 0, bytes, true, &base);
    if (error == 0 && (error = os_memory_seal(memory)) != 0)
        os_memory_unmap(base, 0, bytes);
    if (error != 0) {
        os_close(memory);
        return error;
    }
    ring->data = base;
    ring->size = bytes;
    os_random(&ring->key, sizeof ring->key);
    ring->key |= 1; /* so that no commit word is zero, as fresh memory is */
    *fd = memory;
    return 0;
}

static int make_page(struct writer_page **out, int *fd)
{
    struct writer_page *page;
    void *base;
    int error, memory = os_memory_create(LAYOUT_PAGE_BYTES);
    if (memory < 0)
        return memory;
    error = os_memory_map(memory, LAYOUT_PAGE_BYTES, 0, true, &base);
    if (error == 0) {
        page = base;
        page->magic = LAYOUT_WRITER_MAGIC;
        page->version = LAYOUT_VERSION;
        page->fingerprint = layout_fingerprint();
        *out = page; /* chain_close() unmaps it */
        error = os_memory_seal(memory);
    }
    if (error != 0) {
        os_close(memory);
        return error;
    }
    *fd = memory;
    return 0;
}

int chain_open(struct outlet *outlet, size_t ring_bytes, size_t limit, int fds[2])
{
    int error = make_page(&outlet->ours, &fds[0]);
    if (error != 0)
        return error;
    error = make_ring(ring_bytes, &outlet->ring, &fds[1]);
    if (error != 0)
        os_close(fds[0]);
    outlet->ring.limit = outlet->ring_limit = limit;
    return error;
}

/* Forgets the oldest ring that was left, and returns its size. */
static size_t drop_left(struct outlet *outlet)
{
    struct left_ring *left = outlet->oldest;
    const size_t size = left->size;
    outlet->oldest = left->next;
    if (outlet->oldest == NULL)
        outlet->youngest = NULL;
    os_memory_unmap(left->data, 0, left->size);
    free(left);
    return size;
}

void chain_close(struct outlet *outlet)
{
    while (outlet->oldest != NULL)
        drop_left(outlet);
    os_memory_unmap(outlet->ring.data, 0, outlet->ring.size);
    os_memory_unmap(outlet->ours, LAYOUT_PAGE_BYTES, 0);
    free(outlet->debts);
    free(outlet->known_files);
}

size_t chain_ring_bytes(const struct outlet *outlet)
{
    size_t bytes = outlet->ring.size;
    for (const struct left_ring *left = outlet->oldest; left != NULL; left = left->next)
        bytes += left->size;
    return bytes;
}

/* What is owed, what is unread in older rings and what is in this one share the backlog. */
static void limit_ring(const struct mmipc_publisher *publisher, struct outlet *outlet)
{
    const uint64_t used = outlet->owed + outlet->ring.tail - outlet->ring.seen;
    const uint64_t left = used < publisher->max_backlog ? publisher->max_backlog - used : 0;
    outlet->ring.limit = outlet->owed == 0 || outlet->ring_limit < left ? outlet->ring_limit : left;
}

static void pay_first(struct mmipc_publisher *publisher, struct outlet *outlet)
{
    const struct debt *debt = &outlet->debts[outlet->debt_first];
    pool_give(&publisher->pool, debt->block);
    outlet->owed -= debt->bytes;
    outlet->debt_first = (outlet->debt_first + 1) % outlet->debt_capacity;
    outlet->debt_count--;
}

uint64_t chain_owed_above(const struct outlet *outlet, uint64_t tail)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < outlet->debt_count; ++i) {
        const struct debt *debt = &outlet->debts[(outlet->debt_first + i) % outlet->debt_capacity];
        bytes += debt->end > tail ? debt->bytes : 0;
    }
    return bytes;
}

void chain_forgive(struct mmipc_publisher *publisher, struct outlet *outlet)
{
    while (outlet->debt_count > 0)
        pay_first(publisher, outlet);
    limit_ring(publisher, outlet);
}

int chain_look(struct mmipc_publisher *publisher, struct outlet *outlet)
{
    int error = ring_look(&outlet->ring);
    if (error != 0)
        return error;
    while (outlet->debt_count > 0 && outlet->debts[outlet->debt_first].end <= outlet->ring.seen)
        pay_first(publisher, outlet);
    while (outlet->oldest != NULL && outlet->oldest->end <= outlet->ring.seen)
        publisher->ring_bytes -= drop_left(outlet);
    limit_ring(publisher, outlet);
    return 0;
}

static uint64_t unread(const struct outlet *outlet)
{
    return outlet->ring.head - outlet->ring.seen + outlet->owed;
}

/* What must be left of the backlog for a ring to be added for a record of `bytes`. */
static uint64_t least_for_ring(const struct mmipc_publisher *publisher, uint64_t bytes)
{
    const uint64_t share = publisher->max_backlog / SHARE_TO_GROW, record = bytes + UINT64_C(2) * RECORD_SPECIAL_BYTES;
    return share > record ? share : record;
}

/* What may still be written before max_backlog is reached; to who has read all, one message of that size. */
static uint64_t allowance(const struct mmipc_publisher *publisher, const struct outlet *outlet)
{
    const uint64_t used = unread(outlet);
    if (used == 0)
        return publisher->max_backlog > publisher->first_limit ? publisher->max_backlog : publisher->first_limit;
    return used < publisher->max_backlog ? publisher->max_backlog - used : 0;
}

uint64_t chain_target(const struct mmipc_publisher *publisher, const struct outlet *outlet, uint64_t bytes)
{
    const uint64_t allowed = allowance(publisher, outlet), least = least_for_ring(publisher, bytes);
    if (outlet->oldest == NULL)
        return UINT64_MAX;
    /* If it is not the backlog that keeps us from growing, it is memory, and the oldest ring's may do. */
    return allowed < least ? align_up(outlet->ring.seen + least - allowed, RECORD_ALIGN) : outlet->oldest->end;
}

/* The ring that is to be added, a power of two; 0: none. */
static uint64_t next_ring_bytes(const struct mmipc_publisher *publisher, const struct outlet *outlet, uint64_t allowed)
{
    const struct ring_writer *ring = &outlet->ring;
    const uint64_t used = publisher->ring_bytes + publisher->pool.bytes;
    const uint64_t left = used < publisher->max_total ? publisher->max_total - used : 0;
    uint64_t wanted = ring->size * (ring->size < COMFORTABLE_BYTES ? FAST_GROWTH : SLOW_GROWTH);
    if (wanted > LARGEST_RING_BYTES)
        wanted = LARGEST_RING_BYTES;
    while (wanted > SMALLEST_RING_BYTES && (wanted > allowed || wanted > left))
        wanted /= 2;
    return wanted > left ? 0 : wanted;
}

/* Sends a file of payload or a ring; the descriptor is on its way before anything refers to it. */
static int send_memory(const struct outlet *outlet, enum wire_type type, uint64_t bytes, uint64_t name, int fd)
{
    struct wire_message message;
    wire_prepare(&message, type);
    message.bytes = bytes;
    message.name = name;
    return wire_send(outlet->peer.socket.fd, &message, &fd, 1);
}

/* Commits a record that is no message. */
static void commit_special(struct outlet *outlet)
{
    if (outlet->specials_end != outlet->ring.head)
        outlet->messages_end = outlet->ring.head;
    ring_commit(&outlet->ring, RECORD_SPECIAL_BYTES);
    outlet->specials_end = outlet->ring.head;
}

uint64_t chain_messages_end(const struct outlet *outlet)
{
    return outlet->specials_end == outlet->ring.head ? outlet->messages_end : outlet->ring.head;
}

/* Writes RECORD_NEXT, for which there is always room, and goes on in `next`. */
static void go_on_in(struct outlet *outlet, struct ring_writer *next, struct left_ring *left)
{
    struct ring_writer *ring = &outlet->ring;
    ring_begin(ring, RECORD_NEXT, 0, 0);
    commit_special(outlet);
    *left = (struct left_ring){.data = ring->data, .size = ring->size, .end = ring->head};
    if (outlet->youngest == NULL)
        outlet->oldest = left;
    else
        outlet->youngest->next = left;
    outlet->youngest = left;
    next->base = next->head = next->tail = ring->head;
    next->seen = ring->seen;
    next->peer_tail = ring->peer_tail;
    *ring = *next;
}

static int move_to_ring_of(struct mmipc_publisher *publisher, struct outlet *outlet, uint64_t bytes, uint64_t allowed)
{
    struct ring_writer next = {0};
    struct left_ring *left = malloc(sizeof *left);
    int fd, error = left == NULL ? -ENOMEM : make_ring(bytes, &next, &fd);
    if (error != 0)
        goto fail;
    error = send_memory(outlet, WIRE_NEXT, bytes, next.key, fd);
    os_close(fd);
    if (error != 0) {
        os_memory_unmap(next.data, 0, next.size);
        goto fail;
    }
    outlet->ring_limit = bytes < allowed ? bytes : allowed;
    go_on_in(outlet, &next, left);
    limit_ring(publisher, outlet);
    publisher->ring_bytes += bytes;
    flag_set(&publisher->swollen, 1);
    outlet->rested = 0;
    return 0;
fail:
    free(left);
    return error;
}

int chain_extend(struct mmipc_publisher *publisher, struct outlet *outlet, uint64_t bytes)
{
    uint64_t allowed, wanted;
    int error = chain_look(publisher, outlet);
    if (error != 0 || ring_fits(&outlet->ring, bytes)) /* what was owed has been read: the limit is higher again */
        return error;
    allowed = allowance(publisher, outlet);
    wanted = allowed < least_for_ring(publisher, bytes) ? 0 : next_ring_bytes(publisher, outlet, allowed);
    if (wanted == 0)
        return -ENOBUFS;
    return move_to_ring_of(publisher, outlet, wanted, allowed);
}

static bool make_room_for_debt(struct outlet *outlet)
{
    const size_t capacity = outlet->debt_capacity == 0 ? 16 : 2 * outlet->debt_capacity;
    struct debt *grown;
    if (outlet->debt_count < outlet->debt_capacity)
        return true;
    grown = malloc(capacity * sizeof *grown);
    if (grown == NULL)
        return false;
    for (size_t i = 0, from = outlet->debt_first; i < outlet->debt_count; ++i) {
        grown[i] = outlet->debts[from];
        from = from + 1 == outlet->debt_capacity ? 0 : from + 1;
    }
    free(outlet->debts);
    outlet->debts = grown;
    outlet->debt_first = 0;
    outlet->debt_capacity = capacity;
    return true;
}

/* Name 0 is a name, so known_files holds name + 1. */
static int introduce(struct outlet *outlet, const struct payload_file *file)
{
    const size_t place = file->name & ((1 << PAYLOAD_PLACE_BITS) - 1);
    int error;
    if (outlet->known_files == NULL)
        outlet->known_files = calloc(PAYLOAD_PLACES, sizeof *outlet->known_files);
    if (outlet->known_files == NULL)
        return -ENOMEM;
    if (outlet->known_files[place] == file->name + 1)
        return 0;
    error = send_memory(outlet, WIRE_PAYLOAD, file->bytes, file->name, file->memory);
    if (error == 0)
        outlet->known_files[place] = file->name + 1;
    return error;
}

int chain_may_owe(struct mmipc_publisher *publisher, struct outlet *outlet, uint64_t bytes)
{
    int error;
    if (unread(outlet) + bytes <= publisher->max_backlog)
        return 0;
    error = chain_look(publisher, outlet);
    if (error != 0)
        return error;
    return unread(outlet) == 0 || unread(outlet) + bytes <= publisher->max_backlog ? 0 : -ENOBUFS;
}

int chain_prepare_reference(struct outlet *outlet, const struct block *block)
{
    return make_room_for_debt(outlet) ? introduce(outlet, block->file) : -ENOMEM;
}

void chain_refer(const struct mmipc_publisher *publisher, struct outlet *outlet, struct block *block, size_t count,
                 uint64_t bytes, uint64_t charge)
{
    struct debt *debt = &outlet->debts[(outlet->debt_first + outlet->debt_count++) % outlet->debt_capacity];
    ring_refer(&outlet->ring, RECORD_SHARED, count, block->file->name, block_offset(block), bytes);
    *debt = (struct debt){.end = outlet->ring.head + RECORD_SPECIAL_BYTES, .bytes = charge, .block = block};
    outlet->owed += charge;
    limit_ring(publisher, outlet);
    block->references++;
}

/* A subscriber in pull mode would have to wake its user for nothing; it comes across the record with the next message.
 */
static void rouse_for_special(struct outlet *outlet)
{
    if (outlet->delivers)
        publisher_rouse(outlet);
}

/* Tells everyone who has it; true if all could be told. */
static bool forget_file(void *context, const struct payload_file *file)
{
    struct mmipc_publisher *publisher = context;
    const size_t place = file->name & ((1 << PAYLOAD_PLACE_BITS) - 1);
    for (size_t i = 0; i < publisher->outlet_count; ++i) {
        struct outlet *outlet = publisher->outlets[i];
        int room;
        if (flag_get(&outlet->gone) || outlet->known_files == NULL || outlet->known_files[place] != file->name + 1)
            continue;
        room = ring_room(&outlet->ring, RECORD_SPECIAL_BYTES);
        if (room < 0)
            publisher_condemn(publisher, outlet, MMIPC_REASON_PROTOCOL);
        if (room == 0)
            return false; /* it lags, after all; the rest is told the next time */
        if (room < 0)
            continue;
        ring_refer(&outlet->ring, RECORD_FORGET, 0, file->name, 0, 0);
        commit_special(outlet);
        outlet->known_files[place] = 0;
        rouse_for_special(outlet);
    }
    return true;
}

void chain_trim(struct mmipc_publisher *publisher)
{
    pool_trim(&publisher->pool, true, forget_file, publisher);
}

/* Back to a small ring when a large one has not been needed for a while. */
static void consider_shrinking(struct mmipc_publisher *publisher, struct outlet *outlet)
{
    const struct ring_writer *ring = &outlet->ring;
    const bool needed = ring->head - outlet->rested_head > ring->size / 8 || ring->seen < chain_messages_end(outlet);
    outlet->rested_head = ring->head;
    outlet->rested = needed ? 0 : outlet->rested + 1;
    if (ring->size > publisher->first_ring_bytes && outlet->rested > TICKS_TO_SHRINK &&
        move_to_ring_of(publisher, outlet, publisher->first_ring_bytes, publisher->first_limit) == 0)
        rouse_for_special(outlet); /* it gives its part back, too */
}

void chain_tick(struct mmipc_publisher *publisher)
{
    bool swollen = false;
    if (!flag_get(&publisher->swollen))
        return;
    gate_enter_locked(&publisher->gate, false);
    for (size_t i = 0; i < publisher->outlet_count; ++i) {
        struct outlet *outlet = publisher->outlets[i];
        if (flag_get(&outlet->gone) || chain_look(publisher, outlet) != 0)
            continue; /* what is wrong with it, the next publish finds */
        consider_shrinking(publisher, outlet);
        swollen |= outlet->ring.size > publisher->first_ring_bytes || outlet->oldest != NULL;
    }
    pool_trim(&publisher->pool, false, forget_file, publisher);
    flag_set(&publisher->swollen, swollen || publisher->pool.bytes > 0);
    gate_leave_locked(&publisher->gate);
}
