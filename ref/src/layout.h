/* Everything that two processes share through memory. Fixed-width types only; LAYOUT.md draws it.
 *
 * A pair has two memory files. The publisher's holds the header and the ring, and the subscriber maps it read-only; the
 * subscriber's holds its page, and the publisher maps that read-only. So neither can damage what the other wrote. */
#ifndef MMIPC_LAYOUT_H
#define MMIPC_LAYOUT_H

#include "atomics.h"

#include <assert.h>
#include <stddef.h>

enum { LAYOUT_VERSION = 1, LAYOUT_HEADER_BYTES = 4096, LAYOUT_PAGE_BYTES = 4096 };
enum { RECORD_ALIGN = 64, RECORD_HEADER_BYTES = 16, PART_ALIGN = 16 };

#define LAYOUT_HEADER_MAGIC UINT64_C(0x6d6d6970632d7067) /* "gp-cpimm" as bytes on a little-endian machine */
#define LAYOUT_PAGE_MAGIC   UINT64_C(0x6d6d6970632d7362)

/* Start of the publisher's file; the ring follows at LAYOUT_HEADER_BYTES.
 *
 *   0        8        16       24       32
 *   | magic  |ver|fpr | ring   | key    | zero …            written once, before the file is sent
 * 128  | heartbeat |  publisher's control thread, each ping interval
 * 256  | waiting | wanted |  a publishing thread that is about to sleep; the subscriber looks after moving its tail */
struct segment_header {
    uint64_t magic;
    uint32_t version;
    uint32_t fingerprint;
    uint64_t ring_bytes; /* a power of two */
    uint64_t key;        /* of the commit words */
    unsigned char pad0[96];
    shared_u64 heartbeat; /* counts up while the publisher's process runs */
    unsigned char pad1[120];
    shared_u64 waiting; /* odd: a publishing thread sleeps until the tail reaches wanted */
    shared_u64 wanted;
    unsigned char pad2[112];
};
static_assert(offsetof(struct segment_header, magic) == 0, "layout");
static_assert(offsetof(struct segment_header, ring_bytes) == 16, "layout");
static_assert(offsetof(struct segment_header, key) == 24, "layout");
static_assert(offsetof(struct segment_header, heartbeat) == 128, "a cache line pair of its own");
static_assert(offsetof(struct segment_header, waiting) == 256, "a cache line pair of its own");
static_assert(sizeof(struct segment_header) == 384 && 384 <= LAYOUT_HEADER_BYTES, "layout");

/* The subscriber's file.
 *
 *   0        8        16
 *   | magic  |ver|fpr | zero …                              written once, before the file is sent
 * 128  | heartbeat |  subscriber's control thread
 * 256  | tail |       receiving thread: all positions below are free again
 * 384  | asleep |     receiving thread; the publisher looks after each commit, so it shares no line with the tail */
struct reader_page {
    uint64_t magic;
    uint32_t version;
    uint32_t fingerprint;
    unsigned char pad0[112];
    shared_u64 heartbeat;
    unsigned char pad1[120];
    shared_u64 tail;
    unsigned char pad2[120];
    shared_u64 asleep; /* odd: the receiving thread sleeps */
    unsigned char pad3[120];
};
static_assert(offsetof(struct reader_page, heartbeat) == 128, "a cache line pair of its own");
static_assert(offsetof(struct reader_page, tail) == 256, "a cache line pair of its own");
static_assert(offsetof(struct reader_page, asleep) == 384, "a cache line pair of its own");
static_assert(sizeof(struct reader_page) == 512 && 512 <= LAYOUT_PAGE_BYTES, "layout");

/* A record: at a position that is a multiple of RECORD_ALIGN, so that a message of up to 48 bytes moves one cache line.
 *
 *   0        8        16
 *   | commit | shape  | body …                              padded to RECORD_ALIGN
 *
 * commit  position ^ key of the segment, stored last. Old bytes cannot be mistaken for it: the word that stood here a
 *         lap ago was of another position, and a payload would have to guess 64 random bits.
 * shape   bits 0–39 bytes of the body, bits 40–63 number of parts.
 * body    one part: its bytes. Otherwise: a size for each part (8 bytes each), then the parts, all at PART_ALIGN. */
struct record_header {
    shared_u64 commit;
    shared_u64 shape;
};
static_assert(sizeof(struct record_header) == RECORD_HEADER_BYTES, "layout");

#define RECORD_BODY_BITS 40
#define RECORD_BODY_MAX  ((UINT64_C(1) << RECORD_BODY_BITS) - 1)
#define RECORD_PARTS_MAX ((UINT64_C(1) << (64 - RECORD_BODY_BITS)) - 1)

/* Two builds that disagree on any of this must not talk to each other. */
static inline uint32_t layout_fingerprint(void)
{
    const uint64_t facts[] = {LAYOUT_VERSION,
                              LAYOUT_HEADER_BYTES,
                              LAYOUT_PAGE_BYTES,
                              RECORD_ALIGN,
                              RECORD_HEADER_BYTES,
                              PART_ALIGN,
                              RECORD_BODY_BITS,
                              sizeof(struct segment_header),
                              offsetof(struct segment_header, heartbeat),
                              offsetof(struct segment_header, waiting),
                              sizeof(struct reader_page),
                              offsetof(struct reader_page, heartbeat),
                              offsetof(struct reader_page, tail),
                              offsetof(struct reader_page, asleep),
                              UINT64_C(0x0102030405060708)};
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a over the bytes as this machine orders them */
    for (size_t i = 0; i < sizeof facts; ++i)
        hash = (hash ^ ((const unsigned char *)facts)[i]) * UINT64_C(0x100000001b3);
    return (uint32_t)(hash ^ hash >> 32);
}

#endif
