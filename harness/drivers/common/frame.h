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
    FRAME_FLAT = 4096             /* frames up to this size are sent from one piece of memory */
};

/* A message to send. A small one is copied together, since the system takes one piece faster than two; a large one
 * refers to the caller's parts, which must stay. */
struct frame {
    const ipcmark_part *parts;
    size_t count;
    size_t size; /* prefix and parts */
    size_t prefix_size;
    char *prefix; /* all of a small message */
    _Alignas(uint32_t) char inside[FRAME_FLAT];
};

/* -EMSGSIZE: more than max_bytes, or too many parts; -EINVAL; -ENOMEM. */
int frame_begin(struct frame *frame, const ipcmark_part *parts, size_t count, size_t max_bytes);
/* The rest of the frame from byte `offset` on, in at most `capacity` pieces. Returns their number. */
int frame_vector(const struct frame *frame, size_t offset, struct iovec *vector, int capacity);
/* All of it, in one piece of frame->size bytes. */
void frame_copy(const struct frame *frame, char *at);
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
