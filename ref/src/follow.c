/* The subscriber's side of a chain: from ring to ring, and to the payload files that records refer to.
 *
 * The control thread receives and maps the publisher's memory before the records that lead to it are written, though it
 * may come to it later than the receiving side does to them. What is left is unmapped when its last message is freed.
 */
#include "os/os.h"
#include "subscriber.h"

#include <errno.h>
#include <stdlib.h>

enum { SMALLEST_RING = LAYOUT_PAGE_BYTES, MOST_ARRIVALS = 2 * PAYLOAD_PLACES };
static const uint64_t MOST_MAPPED = UINT64_C(64) << 30; /* each mapping costs us page tables, a five hundredth of it */
static const uint64_t LARGEST_RING = UINT64_C(4) << 30;

static void unmap(struct inlet *inlet, const unsigned char *base, uint64_t bytes, bool is_ring)
{
    /* relaxed: a sum that carries nothing */
    atomic_fetch_sub_explicit(&inlet->mapped, base == NULL ? 0 : bytes, memory_order_relaxed);
    os_memory_unmap((void *)(uintptr_t)base, is_ring ? 0 : bytes, is_ring ? bytes : 0);
}

/* The publisher's file: nothing in it is believed but what was checked here or is checked at each use. */
static int map(uint64_t bytes, bool is_ring, int fd, void **out)
{
    const bool possible = is_ring ? bytes >= SMALLEST_RING && bytes <= LARGEST_RING && (bytes & (bytes - 1)) == 0
                                  : bytes > 0 && bytes <= RECORD_BODY_MAX;
    int error = possible && bytes <= SIZE_MAX / 4 ? os_memory_check(fd, bytes) : -EPROTO;
    return error != 0 ? error : os_memory_map(fd, is_ring ? 0 : bytes, is_ring ? bytes : 0, false, out);
}

static bool push_arrival(struct inlet *inlet, struct arrival *arrival, bool *awaited)
{
    bool possible;
    pthread_mutex_lock(&inlet->lock);
    *awaited = inlet->starved;
    possible = inlet->arrivals < MOST_ARRIVALS;
    if (possible) {
        if (inlet->last_arrival == NULL)
            inlet->first_arrival = arrival;
        else
            inlet->last_arrival->next = arrival;
        inlet->last_arrival = arrival;
        inlet->arrivals++;
    }
    pthread_mutex_unlock(&inlet->lock);
    return possible;
}

int inlet_arrived(struct inlet *inlet, const struct wire_message *message, int fd, bool *awaited)
{
    struct arrival *arrival;
    uint64_t mapped;
    void *base;
    int error;
    arrival = malloc(sizeof *arrival);
    if (arrival == NULL)
        return -ENOMEM;
    error = map(message->bytes, message->type != WIRE_PAYLOAD, fd, &base);
    if (error != 0) {
        free(arrival);
        return error;
    }
    mapped = atomic_fetch_add_explicit(&inlet->mapped, message->bytes, memory_order_relaxed) +
             message->bytes; /* relaxed: as above */
    *arrival = (struct arrival){
        .is_ring = message->type != WIRE_PAYLOAD, .name = message->name, .base = base, .bytes = message->bytes};
    if (mapped <= MOST_MAPPED && push_arrival(inlet, arrival, awaited))
        return 0;
    unmap(inlet, arrival->base, arrival->bytes, arrival->is_ring);
    free(arrival);
    return -EPROTO;
}

/* The next ring, or the payload file of that name. NULL: it is not here yet. With the lock held. */
static struct arrival *pop_arrival(struct inlet *inlet, bool is_ring, uint64_t name)
{
    struct arrival **link = &inlet->first_arrival, *before = NULL, *found;
    while (*link != NULL && ((*link)->is_ring != is_ring || (!is_ring && (*link)->name != name))) {
        before = *link;
        link = &before->next;
    }
    found = *link;
    if (found == NULL)
        return NULL;
    *link = found->next;
    if (inlet->last_arrival == found)
        inlet->last_arrival = before;
    inlet->arrivals--;
    return found;
}

/* With the lock held. */
static void leave(struct inlet *inlet, struct left_memory *left)
{
    left->next = NULL;
    if (inlet->youngest_left == NULL)
        inlet->oldest_left = left;
    else
        inlet->youngest_left->next = left;
    inlet->youngest_left = left;
}

void inlet_leave_behind(struct inlet *inlet, uint64_t tail)
{
    while (inlet->oldest_left != NULL && inlet->oldest_left->end <= tail) {
        struct left_memory *left = inlet->oldest_left;
        inlet->oldest_left = left->next;
        if (inlet->oldest_left == NULL)
            inlet->youngest_left = NULL;
        unmap(inlet, left->base, left->bytes, left->is_ring);
        free(left);
    }
}

/* Everything up to here was no message: if none is held, the publisher may have it back. With the lock held. */
static void pass(struct inlet *inlet)
{
    inlet->passed = inlet->ring.position;
    if (inlet->oldest == NULL)
        inlet_free_to(inlet, inlet->passed);
}

/* Into the first ring (left is NULL then), or into the next one. */
static int enter_ring(struct inlet *inlet, struct left_memory *left)
{
    struct ring_reader *ring = &inlet->ring;
    struct arrival *arrival;
    pthread_mutex_lock(&inlet->lock);
    arrival = pop_arrival(inlet, true, 0);
    inlet->starved = arrival == NULL;
    if (arrival != NULL) {
        if (left != NULL) {
            *left =
                (struct left_memory){.is_ring = true, .base = ring->data, .bytes = ring->size, .end = ring->position};
            leave(inlet, left);
        }
        ring->data = arrival->base;
        ring->size = arrival->bytes;
        ring->key = arrival->name;
        if (left != NULL)
            pass(inlet);
    }
    pthread_mutex_unlock(&inlet->lock);
    free(arrival);
    return arrival == NULL ? -EAGAIN : 0;
}

static int follow_next(struct inlet *inlet)
{
    struct left_memory *left = malloc(sizeof *left);
    int error = left == NULL ? -ENOMEM : enter_ring(inlet, left);
    if (error != 0)
        free(left);
    return error;
}

static int forget(struct inlet *inlet, struct payload *payload)
{
    struct left_memory *left = malloc(sizeof *left);
    if (left == NULL)
        return -ENOMEM;
    *left = (struct left_memory){
        .is_ring = false, .base = payload->base, .bytes = payload->bytes, .end = inlet->ring.position};
    *payload = (struct payload){0};
    pthread_mutex_lock(&inlet->lock);
    leave(inlet, left);
    pass(inlet);
    pthread_mutex_unlock(&inlet->lock);
    return 0;
}

static int find_payload(struct inlet *inlet, uint64_t name, struct payload **out)
{
    const size_t place = name & ((1 << PAYLOAD_PLACE_BITS) - 1);
    struct payload *payload;
    struct arrival *arrival;
    if (place >= PAYLOAD_PLACES)
        return -EPROTO;
    if (inlet->payloads == NULL)
        inlet->payloads = calloc(PAYLOAD_PLACES, sizeof *inlet->payloads);
    if (inlet->payloads == NULL)
        return -ENOMEM;
    *out = payload = &inlet->payloads[place];
    if (payload->name_plus_1 == name + 1)
        return 0;
    if (payload->name_plus_1 != 0) /* a place is not given away before its file is forgotten */
        return -EPROTO;
    pthread_mutex_lock(&inlet->lock);
    arrival = pop_arrival(inlet, false, name);
    inlet->starved = arrival == NULL;
    pthread_mutex_unlock(&inlet->lock);
    if (arrival == NULL)
        return -EAGAIN;
    *payload = (struct payload){name + 1, arrival->base, arrival->bytes};
    free(arrival);
    return 0;
}

/* 1: `out` is the message that it refers to. 0: it was none. -EAGAIN: what it refers to is not here yet. */
static int follow(struct inlet *inlet, struct ring_record *out)
{
    const struct record_reference *reference = (const struct record_reference *)(const void *)out->body;
    struct payload *payload;
    uint64_t offset, size;
    int error;
    if (out->kind == RECORD_NEXT)
        return out->size == 0 ? follow_next(inlet) : -EPROTO;
    if (out->size != sizeof *reference)
        return -EPROTO;
    error = find_payload(inlet, shared_load_relaxed(&reference->file),
                         &payload); /* relaxed: as the shape, as the next two */
    if (error != 0)
        return error;
    if (out->kind == RECORD_FORGET)
        return forget(inlet, payload);
    offset = shared_load_relaxed(&reference->offset);
    size = shared_load_relaxed(&reference->size);
    if (offset % PART_ALIGN != 0 || offset > payload->bytes || size > payload->bytes - offset)
        return -EPROTO;
    out->body = payload->base + offset;
    out->size = size;
    return 1;
}

/* Is there room for the sizes of so many parts? */
static bool is_possible(const struct ring_record *record)
{
    return record->count == 1 || align_up(record->count * sizeof(uint64_t), PART_ALIGN) <= record->size ||
           (record->count == 0 && record->size == 0);
}

void inlet_fed(struct inlet *inlet)
{
    if (!inlet->starved) /* nobody else sets it */
        return;
    pthread_mutex_lock(&inlet->lock);
    inlet->starved = false;
    pthread_mutex_unlock(&inlet->lock);
}

/* Follows the record `out`. What is to be told of it is what inlet_take() tells, or 2: none of the user's, it was
 * followed. */
static int judge(struct inlet *inlet, struct ring_record *out, bool *all_is_here)
{
    int got = follow(inlet, out);
    if (got == 0)
        return 2;
    if (got > 0 || got == -EPROTO)
        return got;
    inlet->ring.position = out->position; /* nothing is lost: it is taken the next time */
    if (got != -EAGAIN)
        return got;
    if (*all_is_here) /* and it is not there: never sent, or it was us who could not take it */
        return inlet->missing != 0 ? inlet->missing : -EPROTO;
    /* A5 acquire: pairs with R5 in dropped(): all that was sent has been received */
    *all_is_here = atomic_load_explicit(&inlet->hung_up, memory_order_acquire);
    if (!*all_is_here)
        return 0;
    inlet_fed(inlet);
    return 2; /* once more, then */
}

int inlet_take(struct inlet *inlet, struct ring_record *out)
{
    bool all_is_here = false;
    for (;;) {
        int got = ring_take(&inlet->ring, out);
        if (got > 0 && out->kind != RECORD_INLINE)
            got = judge(inlet, out, &all_is_here);
        if (got != 2)
            return got <= 0 || is_possible(out) ? got : -EPROTO;
    }
}

bool inlet_settle(struct inlet *inlet)
{
    while (ring_ready(&inlet->ring)) {
        const enum record_kind kind = ring_kind(&inlet->ring);
        struct ring_record record;
        bool all_is_here = false;
        if (kind == RECORD_INLINE || kind == RECORD_SHARED)
            return true;
        if (ring_take(&inlet->ring, &record) <= 0)
            return true;
        if (record.kind != kind || judge(inlet, &record, &all_is_here) == -EPROTO)
            inlet->ring.position = record.position; /* what is wrong, the next take finds */
        if (inlet->ring.position == record.position)
            return !inlet->starved;
    }
    return false;
}

int inlet_enter_first_ring(struct inlet *inlet)
{
    return enter_ring(inlet, NULL);
}

uint64_t inlet_unread_at_most(struct inlet *inlet)
{
    uint64_t bytes = inlet->ring.size;
    pthread_mutex_lock(&inlet->lock);
    for (const struct arrival *arrival = inlet->first_arrival; arrival != NULL; arrival = arrival->next)
        bytes += arrival->is_ring ? arrival->bytes : 0;
    pthread_mutex_unlock(&inlet->lock);
    return bytes;
}

void inlet_unmap(struct inlet *inlet)
{
    inlet_leave_behind(inlet, UINT64_MAX);
    unmap(inlet, inlet->ring.data, inlet->ring.size, true);
    for (size_t i = 0; inlet->payloads != NULL && i < PAYLOAD_PLACES; ++i)
        if (inlet->payloads[i].name_plus_1 != 0)
            unmap(inlet, inlet->payloads[i].base, inlet->payloads[i].bytes, false);
    free(inlet->payloads);
    while (inlet->first_arrival != NULL) {
        struct arrival *arrival = inlet->first_arrival;
        inlet->first_arrival = arrival->next;
        unmap(inlet, arrival->base, arrival->bytes, arrival->is_ring);
        free(arrival);
    }
}
