/* The single-producer single-consumer ring of a pair. The memory is mapped twice in a row, so that a record that passes
 * the end of the ring is still contiguous. Positions count bytes since the start and never wrap.
 *
 * Here are only the parts of a publish and a receive that touch the ring: no waiting, no waking, no system call. */
#ifndef MMIPC_RING_H
#define MMIPC_RING_H

#include "layout.h"
#include "mmipc/mmipc.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static inline uint64_t align_up(uint64_t value, uint64_t align)
{
    return (value + align - 1) & ~(align - 1);
}

/* What a message takes in the ring. */
struct record_size {
    uint64_t body;  /* bytes after the record header */
    uint64_t total; /* with header and padding */
};

/* -EMSGSIZE if no ring could hold it; -EINVAL if a part without memory has a size. */
static inline int record_measure(const mmipc_part *parts, size_t count, struct record_size *out)
{
    uint64_t body = 0;
    if (count > RECORD_PARTS_MAX)
        return -EMSGSIZE;
    if (count != 1)
        body = align_up(count * sizeof(uint64_t), PART_ALIGN);
    for (size_t i = 0; i < count; ++i) {
        if (parts[i].size > RECORD_BODY_MAX - body)
            return -EMSGSIZE;
        if (parts[i].data == NULL && parts[i].size != 0)
            return -EINVAL;
        body += count == 1 ? parts[i].size : align_up(parts[i].size, PART_ALIGN);
        if (body > RECORD_BODY_MAX - PART_ALIGN)
            return -EMSGSIZE;
    }
    out->body = body;
    out->total = align_up(RECORD_HEADER_BYTES + body, RECORD_ALIGN);
    return 0;
}

struct ring_writer {
    unsigned char *data;
    uint64_t size;               /* of the ring */
    uint64_t key;                /* of the commit words */
    uint64_t head;               /* where the next record starts */
    uint64_t tail;               /* the reader's, as last looked at: its line is touched only when the ring seems full */
    const shared_u64 *peer_tail; /* untrusted */
};

/* 1: a record of `bytes` fits. 0: not yet. -EPROTO: the reader's tail is one that it cannot have. */
static inline int ring_room(struct ring_writer *ring, uint64_t bytes)
{
    uint64_t tail;
    if (ring->head - ring->tail + bytes <= ring->size)
        return 1;
    tail = shared_load_acquire(ring->peer_tail); /* A2 acquire: pairs with R2 in ring_release(): its reads are over */
    if (tail < ring->tail || tail > ring->head || tail % RECORD_ALIGN != 0)
        return -EPROTO;
    ring->tail = tail;
    return ring->head - tail + bytes <= ring->size;
}

/* Writes a message where the next record goes. The reader sees nothing of it until ring_commit. */
static inline void ring_write(struct ring_writer *ring, const mmipc_part *parts, size_t count, uint64_t body)
{
    unsigned char *at = ring->data + (ring->head & (ring->size - 1));
    struct record_header *record = (struct record_header *)(void *)at;
    /* relaxed: published by the commit word */
    shared_store_relaxed(&record->shape, body | (uint64_t)count << RECORD_BODY_BITS);
    at += RECORD_HEADER_BYTES;
    if (count == 1) {
        if (parts->size != 0)
            memcpy(at, parts->data, parts->size);
        return;
    }
    for (size_t i = 0; i < count; ++i) {
        uint64_t size = parts[i].size;
        memcpy(at + i * sizeof size, &size, sizeof size);
    }
    at += align_up(count * sizeof(uint64_t), PART_ALIGN);
    for (size_t i = 0; i < count; ++i) {
        if (parts[i].size != 0)
            memcpy(at, parts[i].data, parts[i].size);
        at += align_up(parts[i].size, PART_ALIGN);
    }
}

static inline void ring_commit(struct ring_writer *ring, uint64_t total)
{
    struct record_header *record = (struct record_header *)(void *)(ring->data + (ring->head & (ring->size - 1)));
    /* R1 release: pairs with A1 in ring_ready(): publishes the record */
    shared_store_release(&record->commit, ring->head ^ ring->key);
    ring->head += total;
}

struct ring_reader {
    const unsigned char *data; /* untrusted, read-only */
    uint64_t size;
    uint64_t key;
    uint64_t position; /* of the next record */
    shared_u64 *tail;  /* ours, for the writer */
};

/* A message in the ring, its header checked. */
struct ring_record {
    const unsigned char *body;
    uint64_t position; /* where it starts */
    uint64_t size;     /* of the body */
    uint64_t total;    /* of the record */
    size_t count;      /* parts */
};

static inline bool ring_ready(const struct ring_reader *ring)
{
    const unsigned char *at = ring->data + (ring->position & (ring->size - 1));
    const struct record_header *record = (const struct record_header *)(const void *)at;
    /* A1 acquire: pairs with R1 in ring_commit() */
    return shared_load_acquire(&record->commit) == (ring->position ^ ring->key);
}

/* The second line of the record to come: it arrives beside the first, not after it. A tenth of the way of 64 bytes. */
static inline void ring_prefetch(const struct ring_reader *ring)
{
    __builtin_prefetch(ring->data + (ring->position & (ring->size - 1)) + RECORD_ALIGN);
}

/* 1: takes the next record. 0: there is none. -EPROTO: it is not one that a writer of ours makes. */
static inline int ring_take(struct ring_reader *ring, struct ring_record *out)
{
    const unsigned char *at = ring->data + (ring->position & (ring->size - 1));
    const struct record_header *record = (const struct record_header *)(const void *)at;
    uint64_t shape, body, count, total;
    if (!ring_ready(ring))
        return 0;
    shape = shared_load_relaxed(&record->shape); /* relaxed: ordered by A1; looked at once, the writer may change it */
    body = shape & RECORD_BODY_MAX;
    count = shape >> RECORD_BODY_BITS;
    total = align_up(RECORD_HEADER_BYTES + body, RECORD_ALIGN);
    if (total > ring->size || (count == 0 && body != 0) ||
        (count > 1 && align_up(count * sizeof(uint64_t), PART_ALIGN) > body))
        return -EPROTO;
    out->body = at + RECORD_HEADER_BYTES;
    out->position = ring->position;
    out->size = body;
    out->total = total;
    out->count = count;
    ring->position += total;
    return 1;
}

/* Fills record->count parts. -EPROTO if they do not add up to the body. */
static inline int ring_parts(const struct ring_record *record, mmipc_part *parts)
{
    const shared_u64 *sizes = (const shared_u64 *)(const void *)record->body;
    uint64_t offset;
    if (record->count == 1) {
        parts->data = record->body;
        parts->size = record->size;
        return 0;
    }
    offset = align_up(record->count * sizeof(uint64_t), PART_ALIGN);
    for (size_t i = 0; i < record->count; ++i) {
        uint64_t size = shared_load_relaxed(&sizes[i]); /* relaxed: as the shape */
        if (size > record->size - offset || align_up(size, PART_ALIGN) > record->size - offset)
            return -EPROTO;
        parts[i].data = record->body + offset;
        parts[i].size = size;
        offset += align_up(size, PART_ALIGN);
    }
    return 0;
}

/* Frees everything below `tail` for the writer. */
static inline void ring_release(struct ring_reader *ring, uint64_t tail)
{
    /* R2 release: pairs with A2 in ring_room(): our reads of the records come before their memory is used again */
    shared_store_release(ring->tail, tail);
}

#endif
