#include "pool.h"

#include "os/os.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SMALLEST_BLOCK = 4096, SMALLEST_FILE = 1 << 20, LARGEST_FILE = 32 << 20, RECENT_BYTES = 4 << 20 };

/* Four sizes to a doubling: 4096, 5120, 6144, 7168, 8192, … so that at most a fifth of a block is wasted. */
static size_t class_bytes(unsigned class_)
{
    return (size_t)(SMALLEST_BLOCK / 4 * (4 + class_ % 4)) << class_ / 4;
}

static unsigned class_of(size_t bytes)
{
    unsigned class_ = 0;
    while (class_ < POOL_CLASSES - 1 && class_bytes(class_) < bytes)
        ++class_;
    return class_;
}

size_t pool_block_bytes(size_t bytes)
{
    return class_bytes(class_of(bytes));
}

static struct free_blocks *free_blocks(struct pool *pool, const struct payload_file *file)
{
    return &pool->free[class_of(file->block_bytes)];
}

static struct block *take_spare(struct free_blocks *blocks)
{
    struct block *block = blocks->spare;
    if (block != NULL)
        blocks->spare = block->next;
    return block;
}

static struct block *take_oldest(struct free_blocks *blocks)
{
    struct block *block = blocks->oldest;
    if (block != NULL) {
        blocks->oldest = block->next;
        blocks->recent--;
    }
    return block;
}

static void add_spare(struct free_blocks *blocks, struct block *block)
{
    block->next = blocks->spare;
    blocks->spare = block;
}

static void add_youngest(struct free_blocks *blocks, struct block *block)
{
    block->next = NULL;
    if (blocks->oldest == NULL)
        blocks->oldest = block;
    else
        blocks->youngest->next = block;
    blocks->youngest = block;
    blocks->recent++;
}

struct block *pool_take(struct pool *pool, size_t bytes)
{
    struct free_blocks *blocks = &pool->free[class_of(bytes)];
    struct block *block = take_spare(blocks);
    if (block == NULL)
        block = take_oldest(blocks);
    if (block == NULL)
        return NULL;
    block->references = 1;
    block->file->used++;
    block->file->rested = false;
    return block;
}

void pool_give(struct pool *pool, struct block *block)
{
    struct free_blocks *blocks = free_blocks(pool, block->file);
    if (--block->references > 0)
        return;
    block->file->used--;
    add_youngest(blocks, block);
    if (blocks->recent * block->file->block_bytes > RECENT_BYTES && blocks->recent > 1)
        add_spare(blocks, take_oldest(blocks));
}

static size_t free_place(struct pool *pool)
{
    size_t place = 0;
    while (place < pool->places && pool->files[place] != NULL)
        ++place;
    return place;
}

/* Files grow with the pool: each costs a descriptor, and a letter to every subscriber, of which a stopped one can have
 * some two hundred waiting. */
static unsigned blocks_for_file(const struct pool *pool, size_t block_bytes, size_t limit)
{
    size_t bytes = pool->bytes / 8;
    if (bytes < SMALLEST_FILE)
        bytes = SMALLEST_FILE;
    if (bytes > LARGEST_FILE)
        bytes = LARGEST_FILE;
    if (bytes > limit - pool->bytes)
        bytes = limit - pool->bytes;
    return block_bytes >= bytes ? 1 : (unsigned)(bytes / block_bytes);
}

int pool_begin_file(struct pool *pool, size_t bytes, size_t limit, struct payload_file **out)
{
    const size_t block_bytes = pool_block_bytes(bytes), place = free_place(pool);
    struct payload_file *file;
    unsigned count;
    if (place == PAYLOAD_PLACES || pool->bytes > limit || block_bytes > limit - pool->bytes)
        return -ENOSPC;
    count = blocks_for_file(pool, block_bytes, limit);
    file = calloc(1, sizeof *file + count * sizeof file->blocks[0]);
    if (file == NULL)
        return -ENOMEM;
    file->name = pool->made++ << PAYLOAD_PLACE_BITS | place;
    file->memory = -1;
    file->bytes = count * block_bytes;
    file->block_bytes = block_bytes;
    file->blocks_count = count;
    file->used = 1; /* by who makes it */
    pool->files[place] = file;
    pool->places += place == pool->places;
    pool->bytes += file->bytes;
    *out = file;
    return 0;
}

int pool_make_file(struct payload_file *file)
{
    void *base;
    int error = file->memory = os_memory_create(file->bytes);
    if (error >= 0)
        error = os_memory_map(file->memory, file->bytes, 0, true, &base);
    if (error < 0)
        return error;
    file->base = base;
    return os_memory_seal(file->memory);
}

static void close_file(struct payload_file *file)
{
    os_memory_unmap(file->base, file->bytes, 0);
    os_close(file->memory);
    free(file);
}

static void drop_file(struct pool *pool, size_t place)
{
    struct payload_file *file = pool->files[place];
    pool->files[place] = NULL;
    pool->bytes -= file->bytes;
    close_file(file);
}

void pool_end_file(struct pool *pool, struct payload_file *file, bool made)
{
    if (!made) {
        drop_file(pool, file->name & ((1 << PAYLOAD_PLACE_BITS) - 1));
        return;
    }
    file->used = 0;
    for (unsigned i = file->blocks_count; i-- > 0;) {
        struct block *block = &file->blocks[i];
        block->file = file;
        block->data = file->base + i * file->block_bytes;
        add_spare(free_blocks(pool, file), block);
    }
}

/* All free blocks anew, those of the first files first, so that what is in use gathers there and the others rest. */
static void sort_free(struct pool *pool)
{
    memset(pool->free, 0, sizeof pool->free);
    for (size_t place = pool->places; place-- > 0;) {
        struct payload_file *file = pool->files[place];
        for (unsigned i = file == NULL ? 0 : file->blocks_count; i-- > 0;)
            if (file->blocks[i].file != NULL && file->blocks[i].references == 0)
                add_spare(free_blocks(pool, file), &file->blocks[i]);
    }
}

void pool_trim(struct pool *pool, bool at_once, bool (*forget)(void *context, const struct payload_file *file),
               void *context)
{
    bool any_unused = false;
    for (size_t place = 0; place < pool->places; ++place) {
        struct payload_file *file = pool->files[place];
        if (file == NULL || file->used > 0)
            continue;
        any_unused = true;
        if ((at_once || file->rested) && forget(context, file))
            drop_file(pool, place);
        else
            file->rested = true;
    }
    if (any_unused)
        sort_free(pool);
}

void pool_close(struct pool *pool)
{
    for (size_t place = 0; place < pool->places; ++place)
        if (pool->files[place] != NULL)
            close_file(pool->files[place]);
}
