/* How a message travels in a byte stream: a prefix of 32-bit words (bytes of all parts, number of parts, the size of
 * each part), then the parts without gaps. Both ends are on one machine, so the words are in its own byte order. */
#ifndef COMMON_FRAME_H
#define COMMON_FRAME_H

#include "ipcmark/driver.h"

#include <stdbool.h>
#include <sys/uio.h>

enum {
    FRAME_PARTS_MAX = 65536,
    FRAME_BYTES_MAX = 0x7fffffff, /* of one message */
    FRAME_WORDS_INSIDE = 34       /* prefixes up to 32 parts need no allocation */
};

/* A message to send. It refers to the caller's parts: valid while they are. */
struct frame {
    const ipcmark_part *parts;
    size_t count;
    size_t size; /* prefix and parts */
    size_t prefix_size;
    uint32_t *prefix;
    uint32_t inside[FRAME_WORDS_INSIDE];
};

/* -EMSGSIZE: more than max_bytes, or too many parts; -EINVAL; -ENOMEM. */
int frame_begin(struct frame *frame, const ipcmark_part *parts, size_t count, size_t max_bytes);
/* The rest of the frame from byte `offset` on, in at most `capacity` pieces. Returns their number. */
int frame_vector(const struct frame *frame, size_t offset, struct iovec *vector, int capacity);
void frame_end(struct frame *frame);

/* Finds the messages in what arrives. The bytes come from another process and are not trusted. */
struct frame_reader {
    char *buffer;
    size_t capacity, head, tail; /* unread bytes are buffer[head..tail) */
    size_t max_bytes;
    ipcmark_part *parts;
    size_t parts_capacity;
};

int frame_reader_open(struct frame_reader *reader, size_t max_bytes);
void frame_reader_close(struct frame_reader *reader);
/* Where the next bytes belong. -ENOMEM, or -EPROTO: this is no frame. Then tell with filled how many came. */
int frame_reader_space(struct frame_reader *reader, void **at, size_t *room);
void frame_reader_filled(struct frame_reader *reader, size_t size);
/* 1: a whole message, whose parts point into the buffer until the next call; 0: more bytes are needed; -EPROTO;
 * -ENOMEM. */
int frame_reader_next(struct frame_reader *reader, const ipcmark_part **parts, size_t *count);

#endif
