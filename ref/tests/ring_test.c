/* The ring by itself: both ends on one mapping in one process, so that ThreadSanitizer sees them. */
#include "cases.h"
#include "os/os.h"
#include "ring.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { RING = 64 << 10 };

struct both {
    void *base;
    shared_u64 tail;
    struct ring_writer writer;
    struct ring_reader reader;
};

static void both_open(struct both *both)
{
    int fd = os_memory_create(RING);
    memset(both, 0, sizeof *both);
    assert_true(fd >= 0);
    assert_int_equal(os_memory_map(fd, 0, RING, true, &both->base), 0);
    close(fd);
    both->writer.data = both->base;
    both->writer.size = both->writer.limit = RING;
    both->writer.key = 0x1234567890abcdefu | 1;
    both->writer.peer_tail = &both->tail;
    both->reader.data = both->writer.data;
    both->reader.size = RING;
    both->reader.key = both->writer.key;
    both->reader.tail = &both->tail;
}

static void both_close(struct both *both)
{
    os_memory_unmap(both->base, 0, RING);
}

static int put(struct both *both, const mmipc_part *parts, size_t count)
{
    struct record_size size;
    int result = record_measure(parts, count, &size);
    if (result != 0)
        return result;
    result = ring_room(&both->writer, size.total);
    if (result != 1)
        return result == 0 ? -EAGAIN : result;
    ring_write(&both->writer, parts, count, size.body);
    ring_commit(&both->writer, size.total);
    return 0;
}

static void get(struct both *both, mmipc_part *parts, size_t count)
{
    struct ring_record record = {0};
    assert_int_equal(ring_take(&both->reader, &record), 1);
    assert_int_equal(record.count, count);
    assert_int_equal(message_parts(record.body, record.size, parts, record.count), 0);
}

static void release_all(struct both *both)
{
    ring_release(&both->reader, both->reader.position);
}

static void keeps_parts(void **state)
{
    struct both both;
    const mmipc_part sent[] = {{"abc", 3}, {NULL, 0}, {"defgh", 5}};
    mmipc_part got[3];
    (void)state;
    both_open(&both);
    assert_int_equal(put(&both, sent, 3), 0);
    assert_int_equal(put(&both, NULL, 0), 0);
    get(&both, got, 3);
    for (int i = 0; i < 3; ++i) {
        assert_int_equal(got[i].size, sent[i].size);
        assert_memory_equal(got[i].data, i == 1 ? "" : sent[i].data, sent[i].size);
        assert_int_equal((uintptr_t)got[i].data % PART_ALIGN, 0);
    }
    get(&both, got, 0);
    assert_false(ring_ready(&both.reader));
    both_close(&both);
}

static void wraps(void **state)
{
    struct both both;
    static unsigned char data[7919]; /* a prime: every offset in the ring comes up */
    (void)state;
    both_open(&both);
    for (int round = 0; round < 2000; ++round) {
        const mmipc_part part = {data, sizeof data - (size_t)(round % 97)};
        mmipc_part got;
        memset(data, round, sizeof data);
        assert_int_equal(put(&both, &part, 1), 0);
        get(&both, &got, 1);
        assert_int_equal(got.size, part.size);
        assert_memory_equal(got.data, data, part.size);
        release_all(&both);
    }
    both_close(&both);
}

static void fills_to_the_last_byte(void **state)
{
    struct both both;
    static unsigned char data[RING];
    const mmipc_part whole = {data, RING - RECORD_SPECIAL_BYTES - RECORD_HEADER_BYTES},
                     more = {data, RING - RECORD_SPECIAL_BYTES - RECORD_HEADER_BYTES + 1}, one = {data, 1};
    mmipc_part got;
    (void)state;
    both_open(&both);
    assert_int_equal(put(&both, &more, 1), -EAGAIN);
    assert_int_equal(put(&both, &whole, 1), 0);
    assert_int_equal(put(&both, &one, 1), -EAGAIN);
    get(&both, &got, 1);
    assert_int_equal(put(&both, &one, 1), -EAGAIN); /* taken, not yet released */
    release_all(&both);
    assert_int_equal(put(&both, &one, 1), 0);
    both_close(&both);
}

static void old_bytes_are_no_record(void **state)
{
    struct both both;
    unsigned char data[48] = {0};
    const mmipc_part part = {data, sizeof data};
    mmipc_part got;
    (void)state;
    both_open(&both);
    for (int i = 0; i < RING / 64 * 3; ++i) { /* each record header stands where one stood a lap ago */
        assert_false(ring_ready(&both.reader));
        assert_int_equal(put(&both, &part, 1), 0);
        get(&both, &got, 1);
        release_all(&both);
    }
    both_close(&both);
}

static void refuses_a_tail_that_cannot_be(void **state)
{
    struct both both;
    static unsigned char data[RING - 128];
    const mmipc_part part = {data, sizeof data};
    const uint64_t bad[] = {1, 2ull * RING, UINT64_MAX - 63};
    (void)state;
    both_open(&both);
    assert_int_equal(put(&both, &part, 1), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        shared_store_release(&both.tail, bad[i]);
        assert_int_equal(put(&both, &part, 1), -EPROTO);
    }
    both_close(&both);
}

/* A record as a hostile writer makes it. */
static void forge(struct both *both, uint64_t shape, const uint64_t *sizes, size_t count)
{
    struct record_header *record = (struct record_header *)(void *)both->writer.data;
    both->reader.position = 0;
    shared_store_relaxed(&record->shape, shape);
    for (size_t i = 0; i < count; ++i)
        memcpy(both->writer.data + RECORD_HEADER_BYTES + i * sizeof *sizes, &sizes[i], sizeof *sizes);
    shared_store_release(&record->commit, both->writer.key);
}

static void refuses_shapes_that_cannot_be(void **state)
{
    struct both both;
    const uint64_t huge[] = {UINT64_MAX, 1}, over[] = {32, 1};
    struct ring_record record = {0};
    mmipc_part parts[2];
    (void)state;
    both_open(&both);
    forge(&both, RING | UINT64_C(1) << RECORD_BODY_BITS, NULL, 0); /* longer than the ring */
    assert_int_equal(ring_take(&both.reader, &record), -EPROTO);
    forge(&both, 16 | UINT64_C(3) << RECORD_BODY_BITS, NULL, 0); /* no room for its own table */
    assert_int_equal(ring_take(&both.reader, &record), 1);
    assert_int_equal(message_parts(record.body, record.size, parts, record.count), -EPROTO);
    forge(&both, 16, NULL, 0); /* bytes of no part */
    assert_int_equal(ring_take(&both.reader, &record), 1);
    assert_int_equal(message_parts(record.body, record.size, parts, record.count), -EPROTO);
    forge(&both, 48 | UINT64_C(2) << RECORD_BODY_BITS, huge, 2);
    assert_int_equal(ring_take(&both.reader, &record), 1);
    assert_int_equal(message_parts(record.body, record.size, parts, record.count), -EPROTO);
    forge(&both, 48 | UINT64_C(2) << RECORD_BODY_BITS, over, 2); /* 32 + 16 bytes in 32 */
    assert_int_equal(ring_take(&both.reader, &record), 1);
    assert_int_equal(message_parts(record.body, record.size, parts, record.count), -EPROTO);
    both_close(&both);
}

static void measures(void **state)
{
    const mmipc_part huge[] = {{"", SIZE_MAX}, {"", 1}}, none = {NULL, 1}, small = {"x", 48};
    struct record_size size;
    (void)state;
    assert_int_equal(record_measure(huge, 2, &size), -EMSGSIZE);
    assert_int_equal(record_measure(huge, 1, &size), -EMSGSIZE);
    assert_int_equal(record_measure(&none, 1, &size), -EINVAL);
    assert_int_equal(record_measure(NULL, RECORD_PARTS_MAX + 1, &size), -EMSGSIZE);
    assert_int_equal(record_measure(&small, 1, &size), 0);
    assert_int_equal(size.total, 64); /* one cache line */
}

enum { THREADED_MESSAGES = 100000 };

static void *write_all(void *argument)
{
    struct both *both = argument;
    for (uint64_t i = 0; i < THREADED_MESSAGES;) {
        const uint64_t words[] = {i, ~i, i * 3};
        const mmipc_part part = {words, 8 + i % 3 * 8};
        if (put(both, &part, 1) == 0)
            ++i;
        else
            sched_yield();
    }
    return NULL;
}

static void threads_agree(void **state)
{
    struct both both;
    pthread_t writer;
    (void)state;
    both_open(&both);
    assert_int_equal(pthread_create(&writer, NULL, write_all, &both), 0);
    for (uint64_t i = 0; i < THREADED_MESSAGES;) {
        mmipc_part part;
        uint64_t words[3] = {0};
        if (!ring_ready(&both.reader)) {
            sched_yield();
            continue;
        }
        get(&both, &part, 1);
        assert_int_equal(part.size, 8 + i % 3 * 8);
        memcpy(words, part.data, part.size);
        assert_int_equal(words[0], i);
        if (part.size == 24)
            assert_int_equal(words[2], i * 3);
        if (++i % 7 == 0)
            release_all(&both);
    }
    release_all(&both);
    pthread_join(writer, NULL);
    both_close(&both);
}

CASES_MAIN(CASE(keeps_parts), CASE(wraps), CASE(fills_to_the_last_byte), CASE(old_bytes_are_no_record),
           CASE(refuses_a_tail_that_cannot_be), CASE(refuses_shapes_that_cannot_be), CASE(measures),
           CASE(threads_agree))
