/* The payload memory of a publisher: large messages are written here once, and the rings of all pairs refer to it. A
 * loan is such memory before it is published.
 *
 * A file holds blocks of one size. A block is used again when nobody refers to it: which pairs do, the publisher knows
 * from what it wrote to them and from their tails. Nothing that a subscriber could write is believed for it.
 *
 * All of it inside the publisher's gate, but for the writing into a block that one has, and the making of a file. */
#ifndef MMIPC_POOL_H
#define MMIPC_POOL_H

#include "layout.h"

#include <stdbool.h>
#include <stddef.h>

struct payload_file;

struct block {
    struct block *next; /* of the free ones */
    struct payload_file *file;
    unsigned char *data;
    unsigned references; /* of unread records, and of whoever took it */
};

struct payload_file {
    uint64_t name; /* as in struct record_reference */
    int memory;    /* descriptor; later subscribers get it too */
    bool rested;   /* nobody has used it since the last pool_trim */
    unsigned char *base;
    size_t bytes, block_bytes;
    unsigned blocks_count, used; /* by whoever has blocks */
    struct block blocks[];
};

enum { POOL_CLASSES = 4 * 41 }; /* of block sizes: four to a doubling */

/* What was freed just now lies in the private caches of whoever read it: written again at once, each line has to be
 * fetched from there (64 KiB: 12 µs, and 3.4 µs where four megabytes are used in turn). So recent ones rest for a
 * while. */
struct free_blocks {
    struct block *oldest, *youngest; /* recent ones, a queue */
    size_t recent;
    struct block *spare; /* the rest, a stack: what is not needed stays untouched, and is given back */
};

struct pool {
    struct free_blocks free[POOL_CLASSES];
    struct payload_file *files[PAYLOAD_PLACES];
    size_t places; /* used at some time */
    uint64_t made; /* files, ever */
    size_t bytes;  /* of all files */
};

/* NULL: there is none free. */
struct block *pool_take(struct pool *pool, size_t bytes);
/* Another file for blocks of that size, no larger than `limit` in all (else -ENOSPC). It counts from the beginning, and
 * is made outside the gate, where others need not wait for it: -ENOMEM, -EMFILE, … */
int pool_begin_file(struct pool *pool, size_t bytes, size_t limit, struct payload_file **out);
int pool_make_file(struct payload_file *file);
void pool_end_file(struct pool *pool, struct payload_file *file, bool made); /* not made: it is forgotten */
size_t pool_block_bytes(size_t bytes);                  /* what a block for that many bytes takes */
void pool_give(struct pool *pool, struct block *block); /* one reference less */
/* Calls `forget` for each unused file, unless it was used since the last call (at_once: even then), and closes it where
 * that returns true. */
void pool_trim(struct pool *pool, bool at_once, bool (*forget)(void *context, const struct payload_file *file),
               void *context);
void pool_close(struct pool *pool);

static inline uint64_t block_offset(const struct block *block)
{
    return (uint64_t)(block->data - block->file->base);
}

#endif
