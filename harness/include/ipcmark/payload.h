/* ipcmark/payload.h — what the suite's messages look like inside, so that loss, damage and mix-ups can be seen.
 *
 * Part 0 of a framed message begins with the 48 bytes below; all else is a body made from the run's seed and the
 * message's nonce. A message whose part 0 is shorter is unframed: it is only told by its digest and its boundaries.
 *
 * No function here keeps state, allocates or blocks; all may be called from any thread.
 */
#ifndef IPCMARK_PAYLOAD_H
#define IPCMARK_PAYLOAD_H

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ipcmark/driver.h"

#ifdef __cplusplus
extern "C" {
#endif

#define IPCMARK_PAYLOAD_HEADER 48

/*  byte 0        4        8        12       16       20       24       32        40       48
 *       | crc    | run    | channel| pub ep | thr pa | size   | sequence| sched.  | nonce  |     little-endian   */
struct ipcmark_payload {
    uint32_t crc;          /* CRC-32 of all bytes of the message that follow; or ipcmark_payload_checkword() */
    uint32_t run;          /* ipcmark_payload_name() of the run's id */
    uint32_t channel;      /* ipcmark_payload_name() of the channel */
    uint16_t publisher;    /* its endpoint number */
    uint16_t epoch;        /* of the publisher; a restart is a new one */
    uint16_t thread;       /* of the publisher, from 0 */
    uint16_t parts;        /* of this message */
    uint32_t size;         /* of all parts together, bytes */
    uint64_t sequence;     /* within (publisher, epoch, thread), without gaps */
    uint64_t scheduled_ns; /* when it should have been sent, CLOCK_MONOTONIC; 0: no schedule */
    uint64_t nonce;        /* drawn at run time */
};

static_assert(sizeof(struct ipcmark_payload) == IPCMARK_PAYLOAD_HEADER, "payload header is 48 bytes");
static_assert(offsetof(struct ipcmark_payload, run) == 4, "payload layout");
static_assert(offsetof(struct ipcmark_payload, channel) == 8, "payload layout");
static_assert(offsetof(struct ipcmark_payload, publisher) == 12, "payload layout");
static_assert(offsetof(struct ipcmark_payload, epoch) == 14, "payload layout");
static_assert(offsetof(struct ipcmark_payload, thread) == 16, "payload layout");
static_assert(offsetof(struct ipcmark_payload, parts) == 18, "payload layout");
static_assert(offsetof(struct ipcmark_payload, size) == 20, "payload layout");
static_assert(offsetof(struct ipcmark_payload, sequence) == 24, "payload layout");
static_assert(offsetof(struct ipcmark_payload, scheduled_ns) == 32, "payload layout");
static_assert(offsetof(struct ipcmark_payload, nonce) == 40, "payload layout");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the header is copied as it lies in memory");

/* The CRC-32 of a text: how runs and channels are named in messages and journals. */
uint32_t ipcmark_payload_name(const char *text);

/* --- Conformance: every byte is covered. --- */

/* Writes a message of `count` parts of the given sizes into `buffer`, one part after the other, and lets `parts` point
 * to them. `header` supplies run, channel, publisher, epoch, thread, sequence, scheduled_ns and nonce; the rest of it
 * is filled in. digest: what the journal carries. -EMSGSIZE if the sizes together exceed buffer_size or 32 bits, or
 * count exceeds 16 bits. */
int ipcmark_payload_fill(struct ipcmark_payload *header, uint64_t seed, void *buffer, size_t buffer_size,
                         const size_t *sizes, size_t count, ipcmark_part *parts, uint32_t *digest);

/* Reads a message as it was delivered. digest is set always: CRC-32 of the number of parts (u32), the size of each
 * (u64), then all bytes. 0: intact by its own account, and header is set; -EBADMSG: damaged, and header is what it
 * claims to be; -ENOMSG: unframed, and header is zeroed. */
int ipcmark_payload_verify(const ipcmark_part *parts, size_t count, struct ipcmark_payload *header, uint32_t *digest);

/* --- Benchmarks: header and sequence on every message, bytes at the speed of memory. --- */

/* In place of a CRC: covers the header only, and differs from message to message. */
static inline uint32_t ipcmark_payload_checkword(const uint64_t words[6])
{
    uint64_t one = (words[0] >> 32 ^ words[3]) * 0x9E3779B97F4A7C15u, two = (words[1] ^ words[4]) * 0xC2B2AE3D27D4EB4Fu;
    one ^= words[2] * 0x165667B19E3779F9u + (words[5] ^ words[5] >> 29) * 0xD6E8FEB86659FD93u;
    return (uint32_t)((one ^ two) >> 32 ^ one ^ two);
}

/* Writes the header, checkword for crc, to the start of part 0, which has room for it. A few nanoseconds. */
static inline void ipcmark_payload_stamp(void *part0, const struct ipcmark_payload *header)
{
    /* Field by field: the fields have just been written, and a load wider than they are would wait for the store
     * buffer. */
    uint64_t words[6] = {(uint64_t)header->run << 32,
                         header->channel | (uint64_t)header->publisher << 32 | (uint64_t)header->epoch << 48,
                         header->thread | (uint64_t)header->parts << 16 | (uint64_t)header->size << 32,
                         header->sequence,
                         header->scheduled_ns,
                         header->nonce};
    words[0] |= ipcmark_payload_checkword(words);
    memcpy(part0, words, sizeof words);
}

/* Reads a stamped header. 0, or -EBADMSG: too short, or its checkword is wrong. A few nanoseconds. */
static inline int ipcmark_payload_peek(const void *part0, size_t size, struct ipcmark_payload *header)
{
    uint64_t words[6];
    if (size < sizeof words)
        return -EBADMSG;
    memcpy(words, part0, sizeof words);
    memcpy(header, words, sizeof words);
    return (uint32_t)words[0] == ipcmark_payload_checkword(words) ? 0 : -EBADMSG;
}

/* --- Benchmarks of messages too small for the header: 8 bytes, on every message as well. --- */

#define IPCMARK_PAYLOAD_SMALL 8

/* byte 0          5      6       8
 *      | sequence | pub. | check |     little-endian; the publisher's epoch is 1, its thread 0
 *
 * The check covers size and run, too. As multiplying by this number moves each bit of a frame into it, no single bit of
 * a frame can change unseen; and what changes more of them has another sequence or publisher, which shows as a loss. */
static inline uint64_t ipcmark_payload_small(uint32_t run, uint8_t publisher, uint64_t sequence, size_t size)
{
    uint64_t name = (sequence & 0xFFFFFFFFFFu) | (uint64_t)publisher << 40;
    return name | ((name ^ run ^ (uint64_t)size << 32) * 0x9E3779B97F4A7C15u) >> 48 << 48;
}

/* Reads such a frame, and what the header of a larger message would have said of it; nonce: the frame, for the body
 * that follows it. 0, or -EBADMSG. */
static inline int ipcmark_payload_small_peek(const void *message, size_t size, uint32_t run,
                                             struct ipcmark_payload *header)
{
    uint64_t frame;
    if (size < sizeof frame)
        return -EBADMSG;
    memcpy(&frame, message, sizeof frame);
    *header = (struct ipcmark_payload){.run = run,
                                       .publisher = (uint8_t)(frame >> 40),
                                       .epoch = 1,
                                       .parts = 1,
                                       .size = (uint32_t)size,
                                       .sequence = frame & 0xFFFFFFFFFFu,
                                       .nonce = frame};
    return frame == ipcmark_payload_small(run, (uint8_t)header->publisher, header->sequence, size) ? 0 : -EBADMSG;
}

/* What the body of one part is made from. */
static inline uint64_t ipcmark_payload_key(uint64_t seed, uint64_t nonce, size_t part)
{
    uint64_t x = (seed ^ nonce) + 0x9E3779B97F4A7C15u * (part + 1);
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

/* Writes the body of a part (all of it, but for the header in part 0), at the speed of memory. */
void ipcmark_payload_body_write(void *body, size_t size, uint64_t key);

/* Reads and compares every byte of such a body. 0, or -EBADMSG. */
int ipcmark_payload_body_check(const void *body, size_t size, uint64_t key);

#ifdef __cplusplus
}
#endif
#endif
