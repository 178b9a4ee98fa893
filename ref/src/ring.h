/* The single-producer single-consumer ring of a pair, one of a chain. The memory is mapped twice in a row, so that a
 * record that passes the end of the ring is still contiguous. Positions count bytes since the start and never wrap.
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

static inline struct record_size record_of(uint64_t body)
{
    return (struct record_size){body, align_up(RECORD_HEADER_BYTES + body, RECORD_ALIGN)};
}

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
    *out = record_of(body);
    return 0;
}

struct ring_writer {
    unsigned char *data;
    uint64_t size;  /* of the ring, a power of two */
    uint64_t limit; /* of what may be unread in it, at most size */
    uint64_t key;   /* of the commit words */
    uint64_t base;  /* where this ring of the chain begins */
    uint64_t head;  /* where the next record starts */
    uint64_t tail;  /* the reader's, as last looked at, but at least base: its line is touched only when the ring seems
                       full */
    uint64_t seen;  /* the reader's, as last looked at */
    const shared_u64 *peer_tail; /* untrusted */
};

/* Looks at the reader's tail. -EPROTO: it is one that it cannot have. */
static inline int ring_look(struct ring_writer *ring)
{
    uint64_t tail =
        shared_load_acquire(ring->peer_tail); /* A2 acquire: pairs with R2 in ring_release(): its reads are over */
    if (tail < ring->seen || tail > ring->head || tail % RECORD_ALIGN != 0)
        return -EPROTO;
    ring->seen = tail;
    ring->tail = tail < ring->base ? ring->base : tail;
    return 0;
}

static inline bool ring_fits(const struct ring_writer *ring, uint64_t bytes)
{
    /* There is always room for RECORD_NEXT behind what is written. */
    return ring->head - ring->tail + bytes + RECORD_SPECIAL_BYTES <= ring->limit;
}

/* 1: a record of `bytes` fits. 0: not yet. -EPROTO: the reader's tail is one that it cannot have. */
static inline int ring_room(struct ring_writer *ring, uint64_t bytes)
{
    int error;
    if (ring_fits(ring, bytes))
        return 1;
    error = ring_look(ring);
    return error != 0 ? error : ring_fits(ring, bytes);
}

/* A message as it lies in a ring or in a payload file. */
static inline void message_write(unsigned char *at, const mmipc_part *parts, size_t count)
{
    if (count == 1) {
        if (parts->size != 0)
            shared_copy(at, parts->data, parts->size);
        return;
    }
    for (size_t i = 0; i < count; ++i) {
        uint64_t size = parts[i].size;
        shared_copy(at + i * sizeof size, &size, sizeof size);
    }
    at += align_up(count * sizeof(uint64_t), PART_ALIGN);
    for (size_t i = 0; i < count; ++i) {
        if (parts[i].size != 0)
            shared_copy(at, parts[i].data, parts[i].size);
        at += align_up(parts[i].size, PART_ALIGN);
    }
}

/* Starts a record where the next one goes; returns its body. The reader sees nothing of it until ring_commit. */
static inline unsigned char *ring_begin(struct ring_writer *ring, enum record_kind kind, size_t count, uint64_t body)
{
    unsigned char *at = ring->data + (ring->head & (ring->size - 1));
    struct record_header *record = (struct record_header *)(void *)at;
    /* relaxed: published by the commit word */
    shared_store_relaxed(&record->shape,
                         body | (uint64_t)count << RECORD_BODY_BITS | (uint64_t)kind << RECORD_KIND_SHIFT);
    return at + RECORD_HEADER_BYTES;
}

static inline void ring_write_plain(struct ring_writer *ring, const void *data, uint64_t size)
{
    unsigned char *body = ring_begin(ring, RECORD_INLINE, 1, size);
    if (size != 0)
        shared_copy(body, data, size);
}

static inline void ring_write(struct ring_writer *ring, const mmipc_part *parts, size_t count, uint64_t body)
{
    if (count == 1)
        ring_write_plain(ring, parts->data, body);
    else
        message_write(ring_begin(ring, RECORD_INLINE, count, body), parts, count);
}

/* kind: RECORD_SHARED or RECORD_FORGET */
static inline void ring_refer(struct ring_writer *ring, enum record_kind kind, size_t count, uint64_t file,
                              uint64_t offset, uint64_t size)
{
    unsigned char *body = ring_begin(ring, kind, count, sizeof(struct record_reference));
    struct record_reference *reference = (struct record_reference *)(void *)body;
    shared_store_relaxed(&reference->file, file); /* relaxed: all three are published by the commit word */
    shared_store_relaxed(&reference->offset, offset);
    shared_store_relaxed(&reference->size, size);
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

/* A record in the ring, its header checked. */
struct ring_record {
    const unsigned char *body; /* untrusted */
    uint64_t position;         /* where it starts */
    uint64_t size;             /* of the body */
    uint64_t total;            /* of the record */
    size_t count;              /* parts */
    enum record_kind kind;
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

/* Of the record that is ready. */
static inline enum record_kind ring_kind(const struct ring_reader *ring)
{
    const unsigned char *at = ring->data + (ring->position & (ring->size - 1));
    const struct record_header *record = (const struct record_header *)(const void *)at;
    return (enum record_kind)(shared_load_relaxed(&record->shape) >> RECORD_KIND_SHIFT); /* relaxed: ordered by A1 */
}

/* 1: takes the next record, of any kind. 0: there is none. -EPROTO: it is longer than the ring. */
static inline int ring_take(struct ring_reader *ring, struct ring_record *out)
{
    const unsigned char *at = ring->data + (ring->position & (ring->size - 1));
    const struct record_header *record = (const struct record_header *)(const void *)at;
    struct record_size size;
    uint64_t shape;
    if (!ring_ready(ring))
        return 0;
    shape = shared_load_relaxed(&record->shape); /* relaxed: ordered by A1; looked at once, the writer may change it */
    size = record_of(shape & RECORD_BODY_MAX);
    if (size.total > ring->size)
        return -EPROTO;
    out->kind = (enum record_kind)(shape >> RECORD_KIND_SHIFT);
    out->body = at + RECORD_HEADER_BYTES;
    out->position = ring->position;
    out->size = size.body;
    out->total = size.total;
    out->count = shape >> RECORD_BODY_BITS & RECORD_PARTS_MAX;
    ring->position += size.total;
    return 1;
}

/* The record that is ready, if it is a message of one part in the ring, as most are. False: ring_take() knows what it
 * is. */
static inline bool ring_take_plain(struct ring_reader *ring, mmipc_part *out)
{
    const unsigned char *at = ring->data + (ring->position & (ring->size - 1));
    const struct record_header *record = (const struct record_header *)(const void *)at;
    const uint64_t shape = shared_load_relaxed(&record->shape); /* relaxed: as in ring_take() */
    const struct record_size size = record_of(shape & RECORD_BODY_MAX);
    if (shape >> RECORD_BODY_BITS != 1 || size.total > ring->size)
        return false;
    out->data = at + RECORD_HEADER_BYTES;
    out->size = size.body;
    ring->position += size.total;
    return true;
}

/* Fills `count` parts of a message of `bytes`. -EPROTO if they do not add up to it. */
static inline int message_parts(const unsigned char *message, uint64_t bytes, mmipc_part *parts, size_t count)
{
    const shared_u64 *sizes = (const shared_u64 *)(const void *)message;
    uint64_t offset;
    if (count == 1) {
        parts->data = message;
        parts->size = bytes;
        return 0;
    }
    offset = align_up(count * sizeof(uint64_t), PART_ALIGN);
    if (offset > bytes || (count == 0 && bytes != 0))
        return -EPROTO;
    for (size_t i = 0; i < count; ++i) {
        uint64_t size = shared_load_relaxed(&sizes[i]); /* relaxed: as the shape */
        if (size > bytes - offset || align_up(size, PART_ALIGN) > bytes - offset)
            return -EPROTO;
        parts[i].data = message + offset;
        parts[i].size = size;
        offset += align_up(size, PART_ALIGN);
    }
    return 0;
}

/* Frees everything below `tail` for the writer. */
static inline void ring_release(struct ring_reader *ring, uint64_t tail)
{
    /* R2 release: pairs with A2 in ring_look(): our reads of the records come before their memory is used again */
    shared_store_release(ring->tail, tail);
}

#endif
