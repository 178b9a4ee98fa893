#include "frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    READ_BUFFER = 256 * 1024, /* many small messages a read, and still inside a core's second-level cache */
    EXACT_READ = 16 * 1024    /* a message with at least this much missing is read to its end and no further */
};
static const size_t WORD = sizeof(uint32_t);

/* The bytes of all parts; -EMSGSIZE if they are too many. */
static long parts_bytes(const ipcmark_part *parts, size_t count, size_t max_bytes)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; ++i) {
        if (parts[i].size > max_bytes - bytes)
            return -EMSGSIZE;
        bytes += parts[i].size;
    }
    return (long)bytes;
}

static char *word_append(char *at, size_t value)
{
    uint32_t word = (uint32_t)value;
    memcpy(at, &word, WORD);
    return at + WORD;
}

/* Moves the parts into the prefix, at its end. */
static void frame_flatten(struct frame *frame, char *at)
{
    for (size_t i = 0; i < frame->count; ++i) {
        if (frame->parts[i].size > 0)
            memcpy(at, frame->parts[i].data, frame->parts[i].size);
        at += frame->parts[i].size;
    }
    frame->prefix_size = frame->size;
    frame->count = 0;
}

int frame_begin(struct frame *frame, const ipcmark_part *parts, size_t count, size_t max_bytes)
{
    long bytes;
    char *at;
    if (count > 0 && parts == NULL)
        return -EINVAL;
    if (count > FRAME_PARTS_MAX)
        return -EMSGSIZE;
    bytes = parts_bytes(parts, count, max_bytes);
    if (bytes < 0)
        return (int)bytes;
    frame->parts = parts;
    frame->count = count;
    frame->prefix_size = (2 + count) * WORD;
    frame->size = frame->prefix_size + (size_t)bytes;
    frame->prefix = frame->prefix_size <= FRAME_FLAT ? frame->inside : malloc(frame->prefix_size);
    if (frame->prefix == NULL)
        return -ENOMEM;
    at = word_append(word_append(frame->prefix, (size_t)bytes), count);
    for (size_t i = 0; i < count; ++i)
        at = word_append(at, parts[i].size);
    if (frame->size <= FRAME_FLAT)
        frame_flatten(frame, at);
    return 0;
}

void frame_copy(const struct frame *frame, char *at)
{
    memcpy(at, frame->prefix, frame->prefix_size);
    at += frame->prefix_size;
    for (size_t i = 0; i < frame->count; ++i) {
        if (frame->parts[i].size > 0)
            memcpy(at, frame->parts[i].data, frame->parts[i].size);
        at += frame->parts[i].size;
    }
}

void frame_end(struct frame *frame)
{
    if (frame->prefix != frame->inside)
        free(frame->prefix);
    frame->prefix = frame->inside;
}

/* Appends data[offset..size) unless it lies before the offset, which is counted down. */
static int vector_append(struct iovec *vector, int used, const void *data, size_t size, size_t *offset)
{
    if (*offset >= size) {
        *offset -= size;
        return used;
    }
    vector[used].iov_base = (char *)data + *offset;
    vector[used].iov_len = size - *offset;
    *offset = 0;
    return used + 1;
}

int frame_vector(const struct frame *frame, size_t offset, struct iovec *vector, int capacity)
{
    int used = vector_append(vector, 0, frame->prefix, frame->prefix_size, &offset);
    for (size_t i = 0; i < frame->count && used < capacity; ++i)
        used = vector_append(vector, used, frame->parts[i].data, frame->parts[i].size, &offset);
    return used;
}

int frame_reader_open(struct frame_reader *reader, size_t max_bytes)
{
    *reader = (struct frame_reader){.capacity = READ_BUFFER, .max_bytes = max_bytes};
    reader->buffer = malloc(reader->capacity);
    return reader->buffer == NULL ? -ENOMEM : 0;
}

void frame_reader_close(struct frame_reader *reader)
{
    free(reader->buffer);
    free(reader->parts);
    *reader = (struct frame_reader){0};
}

static uint32_t word_at(const struct frame_reader *reader, size_t index)
{
    uint32_t word;
    memcpy(&word, reader->buffer + reader->head + index * WORD, sizeof word);
    return word;
}

/* *size: of the frame at the head as far as that is known yet, at least its first two words. */
static int frame_size(const struct frame_reader *reader, size_t *size)
{
    if (reader->tail - reader->head < 2 * WORD) {
        *size = 2 * WORD;
        return 0;
    }
    if (word_at(reader, 0) > reader->max_bytes || word_at(reader, 1) > FRAME_PARTS_MAX)
        return -EPROTO;
    *size = (2 + (size_t)word_at(reader, 1)) * WORD + word_at(reader, 0);
    return 0;
}

static int buffer_make_room(struct frame_reader *reader, size_t need)
{
    size_t kept = reader->tail - reader->head;
    if (reader->head + need <= reader->capacity)
        return 0;
    if (need <= reader->capacity) {
        memmove(reader->buffer, reader->buffer + reader->head, kept);
    } else {
        char *larger = malloc(need);
        if (larger == NULL)
            return -ENOMEM;
        memcpy(larger, reader->buffer + reader->head, kept);
        free(reader->buffer);
        reader->buffer = larger;
        reader->capacity = need;
    }
    reader->head = 0;
    reader->tail = kept;
    return 0;
}

int frame_reader_space(struct frame_reader *reader, void **at, size_t *room)
{
    size_t need, missing;
    int result;
    if (reader->head == reader->tail)
        reader->head = reader->tail = 0;
    result = frame_size(reader, &need);
    if (result == 0)
        result = buffer_make_room(reader, need);
    if (result < 0)
        return result;
    missing = need - (reader->tail - reader->head);
    *at = reader->buffer + reader->tail;
    /* Reading a large message exactly leaves nothing behind it that would have to be moved to the front. */
    *room = missing >= EXACT_READ ? missing : reader->capacity - reader->tail;
    return 0;
}

void frame_reader_filled(struct frame_reader *reader, size_t size)
{
    reader->tail += size;
}

static int parts_reserve(struct frame_reader *reader, size_t count)
{
    ipcmark_part *larger;
    if (count <= reader->parts_capacity)
        return 0;
    larger = realloc(reader->parts, count * sizeof *larger);
    if (larger == NULL)
        return -ENOMEM;
    reader->parts = larger;
    reader->parts_capacity = count;
    return 0;
}

int frame_reader_next(struct frame_reader *reader, const ipcmark_part **parts, size_t *count)
{
    size_t size, offset, total = 0, parts_count;
    int result = frame_size(reader, &size);
    if (result < 0)
        return result;
    if (reader->tail - reader->head < size)
        return 0;
    parts_count = word_at(reader, 1);
    result = parts_reserve(reader, parts_count);
    if (result < 0)
        return result;
    offset = reader->head + (2 + parts_count) * WORD;
    for (size_t i = 0; i < parts_count; ++i) {
        reader->parts[i] = (ipcmark_part){reader->buffer + offset + total, word_at(reader, 2 + i)};
        total += reader->parts[i].size;
        if (total > word_at(reader, 0))
            return -EPROTO;
    }
    if (total != word_at(reader, 0))
        return -EPROTO;
    *parts = reader->parts;
    *count = parts_count;
    reader->head += size;
    return 1;
}
