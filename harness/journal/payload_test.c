#include "cases.h"

#include <stdlib.h>
#include <zlib.h>

#include "ipcmark/payload.h"

#define SEED 42

static struct ipcmark_payload header_make(uint64_t sequence)
{
    struct ipcmark_payload header = {0};
    header.run = ipcmark_payload_name("a run");
    header.channel = ipcmark_payload_name("a channel");
    header.publisher = 7;
    header.epoch = 2;
    header.thread = 3;
    header.sequence = sequence;
    header.nonce = 0x123456789ABCDEF;
    return header;
}

/* What was filled in comes out again, with the same digest, for many shapes. */
static void round_trip(void **state)
{
    static const size_t shapes[][4] = {{48}, {49}, {64}, {4096}, {1 << 20}, {48, 0}, {48, 1, 0, 7}, {100, 3, 5}};
    static const size_t counts[] = {1, 1, 1, 1, 1, 2, 4, 3};
    unsigned char *buffer = malloc(1 << 20);
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; ++i) {
        struct ipcmark_payload header = header_make(i), seen;
        ipcmark_part parts[4];
        uint32_t sent, received;
        assert_int_equal(ipcmark_payload_fill(&header, SEED, buffer, 1 << 20, shapes[i], counts[i], parts, &sent), 0);
        assert_int_equal(ipcmark_payload_verify(parts, counts[i], &seen, &received), 0);
        assert_int_equal(sent, received);
        assert_memory_equal(&header, &seen, sizeof header);
        assert_int_equal(seen.parts, counts[i]);
    }
    free(buffer);
}

/* The digest is what the documentation says, by the simplest way to compute it; and so is the crc. */
static void digest_as_documented(void **state)
{
    const size_t sizes[] = {60, 0, 9};
    unsigned char buffer[69], plain[4 + 3 * 8 + 69];
    struct ipcmark_payload header = header_make(1);
    ipcmark_part parts[3];
    uint32_t digest, count = 3, crc;
    (void)state;
    assert_int_equal(ipcmark_payload_fill(&header, SEED, buffer, sizeof buffer, sizes, 3, parts, &digest), 0);
    memcpy(plain, &count, 4);
    for (size_t i = 0; i < 3; ++i) {
        uint64_t size = sizes[i];
        memcpy(plain + 4 + 8 * i, &size, 8);
    }
    memcpy(plain + 28, buffer, sizeof buffer);
    assert_int_equal(digest, crc32(0, plain, sizeof plain));
    memcpy(&crc, buffer, 4);
    assert_int_equal(crc, crc32(0, buffer + 4, sizeof buffer - 4));
}

/* No bit of a message can change unseen, in the header or elsewhere. */
static void every_bit_counts(void **state)
{
    const size_t sizes[] = {56, 5};
    unsigned char buffer[61];
    struct ipcmark_payload header = header_make(1), seen;
    ipcmark_part parts[2];
    uint32_t sent, received;
    (void)state;
    assert_int_equal(ipcmark_payload_fill(&header, SEED, buffer, sizeof buffer, sizes, 2, parts, &sent), 0);
    for (size_t bit = 0; bit < sizeof buffer * 8; ++bit) {
        buffer[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_int_equal(ipcmark_payload_verify(parts, 2, &seen, &received), -EBADMSG);
        assert_int_not_equal(sent, received);
        buffer[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    assert_int_equal(ipcmark_payload_verify(parts, 2, &seen, &received), 0);
}

/* Boundaries that moved, parts merged, an empty part lost or a byte cut off: the bytes alone do not tell the first
 * three. */
static void boundaries_count(void **state)
{
    const size_t sizes[] = {50, 0, 6};
    unsigned char buffer[56];
    struct ipcmark_payload header = header_make(1), seen;
    ipcmark_part parts[3];
    uint32_t sent, received;
    (void)state;
    assert_int_equal(ipcmark_payload_fill(&header, SEED, buffer, sizeof buffer, sizes, 3, parts, &sent), 0);
    const ipcmark_part moved[] = {{buffer, 51}, {buffer, 0}, {buffer + 51, 5}};
    const ipcmark_part merged[] = {{buffer, 50}, {buffer + 50, 6}};
    const ipcmark_part cut[] = {{buffer, 50}, {buffer, 0}, {buffer + 50, 5}};
    ipcmark_payload_verify(moved, 3, &seen, &received); /* the header cannot know; the digest does */
    assert_int_not_equal(sent, received);
    assert_int_equal(ipcmark_payload_verify(merged, 2, &seen, &received), -EBADMSG);
    assert_int_not_equal(sent, received);
    assert_int_equal(ipcmark_payload_verify(cut, 3, &seen, &received), -EBADMSG);
    assert_int_not_equal(sent, received);
}

/* A header that lies about the size, in a message that is whole otherwise. */
static void the_size_counts(void **state)
{
    const size_t sizes[] = {64};
    unsigned char buffer[64];
    struct ipcmark_payload header = header_make(1), seen;
    ipcmark_part part;
    uint32_t digest, wrong = 65, crc;
    (void)state;
    assert_int_equal(ipcmark_payload_fill(&header, SEED, buffer, sizeof buffer, sizes, 1, &part, &digest), 0);
    memcpy(buffer + offsetof(struct ipcmark_payload, size), &wrong, sizeof wrong);
    crc = (uint32_t)crc32(0, buffer + 4, sizeof buffer - 4);
    memcpy(buffer, &crc, sizeof crc);
    assert_int_equal(ipcmark_payload_verify(&part, 1, &seen, &digest), -EBADMSG);
}

static void tiny_is_unframed(void **state)
{
    const size_t tiny[] = {47, 3}, none[] = {0};
    unsigned char buffer[50];
    struct ipcmark_payload header = header_make(1), seen;
    ipcmark_part parts[2];
    uint32_t sent, received, nothing;
    (void)state;
    assert_int_equal(ipcmark_payload_fill(&header, SEED, buffer, sizeof buffer, tiny, 2, parts, &sent), 0);
    assert_int_equal(ipcmark_payload_verify(parts, 2, &seen, &received), -ENOMSG);
    assert_int_equal(sent, received);
    assert_int_equal(seen.publisher, 0);
    buffer[48] ^= 1;
    ipcmark_payload_verify(parts, 2, &seen, &received);
    assert_int_not_equal(sent, received);
    /* No part, and one empty part, are not the same message. */
    assert_int_equal(ipcmark_payload_fill(&header, SEED, NULL, 0, none, 0, parts, &nothing), 0);
    assert_int_equal(ipcmark_payload_fill(&header, SEED, NULL, 0, none, 1, parts, &sent), 0);
    assert_int_not_equal(nothing, sent);
}

static void too_large_is_refused(void **state)
{
    const size_t sizes[] = {48, 17}, huge[] = {SIZE_MAX, 2};
    static const size_t nothings[65536];
    unsigned char buffer[64];
    struct ipcmark_payload header = header_make(1);
    ipcmark_part parts[2];
    uint32_t digest;
    (void)state;
    assert_int_equal(ipcmark_payload_fill(&header, SEED, buffer, 64, sizes, 2, parts, &digest), -EMSGSIZE);
    assert_int_equal(ipcmark_payload_fill(&header, SEED, buffer, SIZE_MAX, huge, 2, parts, &digest), -EMSGSIZE);
    assert_int_equal(ipcmark_payload_fill(&header, SEED, buffer, 64, nothings, 65536, parts, &digest), -EMSGSIZE);
}

/* The cheap way: header by checkword, bytes by comparison. */
static void stamp_and_body(void **state)
{
    unsigned char message[200];
    struct ipcmark_payload header = header_make(9), seen;
    uint64_t key = ipcmark_payload_key(SEED, header.nonce, 0);
    (void)state;
    ipcmark_payload_body_write(message + 48, sizeof message - 48, key);
    ipcmark_payload_stamp(message, &header);
    assert_int_equal(ipcmark_payload_peek(message, sizeof message, &seen), 0);
    header.crc = seen.crc; /* stamped into the message only */
    assert_memory_equal(&header, &seen, sizeof header);
    assert_int_equal(ipcmark_payload_peek(message, 47, &seen), -EBADMSG);
    for (size_t bit = 0; bit < (size_t)48 * 8; ++bit) {
        message[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_int_equal(ipcmark_payload_peek(message, sizeof message, &seen), -EBADMSG);
        message[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    ipcmark_payload_body_write(message, 64, key); /* two changes that are alike do not make up for each other */
    message[3] ^= 1, message[11] ^= 1;
    assert_int_equal(ipcmark_payload_body_check(message, 64, key), -EBADMSG);
    for (size_t size = 0; size < 60; ++size) {
        ipcmark_payload_body_write(message, size, key);
        assert_int_equal(ipcmark_payload_body_check(message, size, key), 0);
        if (size > 0)
            assert_int_equal(ipcmark_payload_body_check(message, size, key + 1), -EBADMSG);
        for (size_t at = 0; at < size; ++at) {
            message[at] ^= 0x10;
            assert_int_equal(ipcmark_payload_body_check(message, size, key), -EBADMSG);
            message[at] ^= 0x10;
        }
    }
}

/* Eight bytes say who sent them and which they are; no bit of them can change unseen, nor their run or their size. */
static void small_frame(void **state)
{
    const uint32_t run = ipcmark_payload_name("a run");
    struct ipcmark_payload seen;
    (void)state;
    for (uint64_t sequence = 1; sequence < UINT64_C(1) << 40; sequence = sequence * 3 + 1) {
        uint64_t frame = ipcmark_payload_small(run, (uint8_t)(sequence % 256), sequence, 8);
        assert_int_equal(ipcmark_payload_small_peek(&frame, 8, run, &seen), 0);
        assert_true(seen.sequence == sequence && seen.publisher == sequence % 256 && seen.nonce == frame);
        assert_true(seen.epoch == 1 && seen.thread == 0 && seen.size == 8 && seen.parts == 1 && seen.scheduled_ns == 0);
        assert_int_equal(ipcmark_payload_small_peek(&frame, 8, run ^ 1, &seen), -EBADMSG);
        assert_int_equal(ipcmark_payload_small_peek(&frame, 9, run, &seen), -EBADMSG);
        assert_int_equal(ipcmark_payload_small_peek(&frame, 7, run, &seen), -EBADMSG);
        for (unsigned bit = 0; bit < 64; ++bit) {
            uint64_t torn = frame ^ UINT64_C(1) << bit;
            assert_int_equal(ipcmark_payload_small_peek(&torn, 8, run, &seen), -EBADMSG);
        }
    }
}

CASES_MAIN(CASE(round_trip), CASE(digest_as_documented), CASE(every_bit_counts), CASE(boundaries_count),
           CASE(the_size_counts), CASE(tiny_is_unframed), CASE(too_large_is_refused), CASE(stamp_and_body),
           CASE(small_frame))
