/* Everything that two processes share through memory. Fixed-width types only; LAYOUT.md draws it.
 *
 * A pair has two pages, one written by each side and mapped read-only by the other, a chain of rings that only the
 * publisher writes, and payload files, which the publisher shares between all its pairs. So neither side can damage
 * what the other wrote. */
#ifndef MMIPC_LAYOUT_H
#define MMIPC_LAYOUT_H

#include "atomics.h"

#include <assert.h>
#include <stddef.h>

enum { LAYOUT_VERSION = 2, LAYOUT_PAGE_BYTES = 4096 };
enum { RECORD_ALIGN = 64, RECORD_HEADER_BYTES = 16, PART_ALIGN = 16 };

#define LAYOUT_WRITER_MAGIC UINT64_C(0x6d6d6970632d7067) /* "gp-cpimm" as bytes on a little-endian machine */
#define LAYOUT_READER_MAGIC UINT64_C(0x6d6d6970632d7362)

/* The publisher's page of a pair.
 *
 *   0        8        16
 *   | magic  |ver|fpr | zero …          written once, before the file is sent
 * 128  | heartbeat |  publisher's control thread, each ping interval
 * 256  | waiting | wanted |  a publishing thread that is about to sleep; the subscriber looks after moving its tail */
struct writer_page {
    uint64_t magic;
    uint32_t version;
    uint32_t fingerprint;
    unsigned char pad0[112];
    shared_u64 heartbeat; /* counts up while the publisher's process runs */
    unsigned char pad1[120];
    shared_u64 waiting; /* odd: a publishing thread sleeps until the tail reaches wanted */
    shared_u64 wanted;
    unsigned char pad2[112];
};
static_assert(offsetof(struct writer_page, heartbeat) == 128, "a cache line pair of its own");
static_assert(offsetof(struct writer_page, waiting) == 256, "a cache line pair of its own");
static_assert(sizeof(struct writer_page) == 384 && 384 <= LAYOUT_PAGE_BYTES, "layout");

/* The subscriber's page of a pair.
 *
 *   0        8        16
 *   | magic  |ver|fpr | zero …          written once, before the file is sent
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

/* A record in a ring: at a position that is a multiple of RECORD_ALIGN, so that a message of up to 48 bytes moves one
 * cache line. Positions count through all rings of the chain: a ring goes on where the one before it ended.
 *
 *   0        8        16
 *   | commit | shape  | body …          padded to RECORD_ALIGN
 *
 * commit  position ^ key of the ring, stored last. Old bytes cannot be mistaken for it: the word that stood here a
 *         lap ago was of another position, and a payload would have to guess 64 random bits.
 * shape   bits 0–39 bytes of the body, bits 40–61 number of parts, bits 62–63 the kind of record.
 * body    RECORD_INLINE: a message. One part: its bytes. Otherwise: a size for each part (8 bytes each), then the
 *         parts, all at PART_ALIGN.
 *         RECORD_SHARED: where the message is, a struct record_reference; the parts are the message's.
 *         RECORD_NEXT: nothing; the next record is in the next ring of the chain.
 *         RECORD_FORGET: a struct record_reference of a payload file that will not be referred to again. */
struct record_header {
    shared_u64 commit;
    shared_u64 shape;
};
static_assert(sizeof(struct record_header) == RECORD_HEADER_BYTES, "layout");

enum record_kind { RECORD_INLINE, RECORD_SHARED, RECORD_NEXT, RECORD_FORGET };

#define RECORD_BODY_BITS  40
#define RECORD_COUNT_BITS 22
#define RECORD_BODY_MAX   ((UINT64_C(1) << RECORD_BODY_BITS) - 1)
#define RECORD_PARTS_MAX  ((UINT64_C(1) << RECORD_COUNT_BITS) - 1)
#define RECORD_KIND_SHIFT (RECORD_BODY_BITS + RECORD_COUNT_BITS)

/* Body of RECORD_SHARED and RECORD_FORGET. A file's name is its place among the publisher's payload files and the
 * number of files that were there before it, so that no file is ever taken for its predecessor. */
struct record_reference {
    shared_u64 file; /* bits 0–15 place, above: predecessors */
    shared_u64 offset;
    shared_u64 size; /* of the message, laid out like the body of RECORD_INLINE */
};
enum { PAYLOAD_PLACE_BITS = 16, PAYLOAD_PLACES = 1024, RECORD_SPECIAL_BYTES = RECORD_ALIGN };
static_assert(RECORD_HEADER_BYTES + sizeof(struct record_reference) <= RECORD_SPECIAL_BYTES, "one line");
static_assert(PAYLOAD_PLACES <= 1 << PAYLOAD_PLACE_BITS, "layout");

/* Two builds that disagree on any of this must not talk to each other. */
static inline uint32_t layout_fingerprint(void)
{
    const uint64_t facts[] = {LAYOUT_VERSION,
                              LAYOUT_PAGE_BYTES,
                              RECORD_ALIGN,
                              RECORD_HEADER_BYTES,
                              PART_ALIGN,
                              RECORD_BODY_BITS,
                              RECORD_COUNT_BITS,
                              RECORD_FORGET,
                              PAYLOAD_PLACE_BITS,
                              sizeof(struct record_reference),
                              sizeof(struct writer_page),
                              offsetof(struct writer_page, heartbeat),
                              offsetof(struct writer_page, waiting),
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
