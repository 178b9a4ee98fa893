#include "cases.h"
#include "frame.h"

#include <errno.h>
#include <stdlib.h>

enum { MAX_BYTES = 1 << 20, STREAM = 4 << 20 };

/* Feeds bytes in pieces of `step`, and checks that the messages of `sizes` come out, each of two parts. */
static void expect_messages(const char *stream, size_t length, size_t step, const size_t *sizes, size_t count)
{
    struct frame_reader reader;
    const ipcmark_part *parts;
    size_t parts_count, seen = 0;
    int result = 0;
    assert_int_equal(frame_reader_open(&reader, MAX_BYTES), 0);
    for (size_t at = 0; at < length;) {
        void *space;
        size_t room;
        assert_int_equal(frame_reader_space(&reader, &space, &room), 0);
        assert_true(room > 0);
        room = room < step ? room : step;
        room = room < length - at ? room : length - at;
        memcpy(space, stream + at, room);
        frame_reader_filled(&reader, room);
        at += room;
        while ((result = frame_reader_next(&reader, &parts, &parts_count)) > 0) {
            assert_true(seen < count && parts_count == 2);
            assert_int_equal(parts[0].size, sizes[seen]);
            assert_int_equal(parts[1].size, 3);
            for (size_t i = 0; i < parts[0].size; ++i)
                assert_int_equal(((const char *)parts[0].data)[i], (char)(i + sizes[seen]));
            assert_memory_equal(parts[1].data, "end", 3);
            ++seen;
        }
        assert_int_equal(result, 0);
    }
    assert_int_equal(seen, count);
    frame_reader_close(&reader);
}

/* Takes what frame_vector gives in pieces, as a writer does that is interrupted. */
static size_t append_frame(char *stream, size_t used, size_t size, size_t step)
{
    char *data = malloc(size + 1);
    struct frame frame;
    struct iovec vector[2];
    for (size_t i = 0; i < size; ++i)
        data[i] = (char)(i + size);
    const ipcmark_part parts[] = {{data, size}, {"end", 3}};
    assert_int_equal(frame_begin(&frame, parts, 2, MAX_BYTES), 0);
    for (size_t sent = 0; sent < frame.size;) {
        int count = frame_vector(&frame, sent, vector, 2);
        assert_true(count > 0);
        size_t piece = vector[0].iov_len < step ? vector[0].iov_len : step;
        assert_true(used + piece <= STREAM);
        memcpy(stream + used, vector[0].iov_base, piece);
        used += piece;
        sent += piece;
    }
    frame_end(&frame);
    free(data);
    return used;
}

static void frames_survive_any_cut(void **state)
{
    const size_t sizes[] = {0, 1, 64, 4064, 4065, 4076, 4096, 16384, 262144, 300000, 5, 1000000, 7};
    const size_t steps[] = {1, 7, 4096, 65536, 262143, STREAM};
    char *stream = malloc(STREAM);
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; ++i) {
        size_t length = 0;
        for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; ++k)
            length = append_frame(stream, length, sizes[k], steps[i]);
        expect_messages(stream, length, steps[i], sizes, sizeof sizes / sizeof sizes[0]);
    }
    free(stream);
}

static int read_words(const uint32_t *words, size_t size)
{
    struct frame_reader reader;
    const ipcmark_part *parts;
    size_t room, count;
    void *space;
    int result;
    assert_int_equal(frame_reader_open(&reader, MAX_BYTES), 0);
    assert_int_equal(frame_reader_space(&reader, &space, &room), 0);
    memcpy(space, words, size);
    frame_reader_filled(&reader, size);
    result = frame_reader_next(&reader, &parts, &count);
    if (result == 0)
        result = frame_reader_space(&reader, &space, &room);
    frame_reader_close(&reader);
    return result;
}

static void garbage_is_refused(void **state)
{
    const uint32_t whole[] = {4, 1, 4, 0}, too_large[] = {MAX_BYTES + 1, 1, MAX_BYTES + 1},
                   too_many[] = {4, FRAME_PARTS_MAX + 1, 4}, parts_exceed[] = {4, 2, 4, 1, 0},
                   parts_fall_short[] = {4, 1, 3, 0}, overflow[] = {4, 2, 0xffffffff, 5, 0};
    (void)state;
    assert_int_equal(read_words(whole, sizeof whole), 1);
    assert_int_equal(read_words(too_large, sizeof too_large), -EPROTO);
    assert_int_equal(read_words(too_many, sizeof too_many), -EPROTO);
    assert_int_equal(read_words(parts_exceed, sizeof parts_exceed), -EPROTO);
    assert_int_equal(read_words(parts_fall_short, sizeof parts_fall_short), -EPROTO);
    assert_int_equal(read_words(overflow, sizeof overflow), -EPROTO);
}

static void too_much_is_refused(void **state)
{
    static const ipcmark_part many[FRAME_PARTS_MAX + 1];
    const ipcmark_part huge[] = {{"", MAX_BYTES}, {"", 1}}, overflow[] = {{"", 1}, {"", SIZE_MAX}};
    struct frame frame;
    (void)state;
    assert_int_equal(frame_begin(&frame, many, FRAME_PARTS_MAX + 1, MAX_BYTES), -EMSGSIZE);
    assert_int_equal(frame_begin(&frame, huge, 2, MAX_BYTES), -EMSGSIZE);
    assert_int_equal(frame_begin(&frame, overflow, 2, MAX_BYTES), -EMSGSIZE);
    assert_int_equal(frame_begin(&frame, NULL, 1, MAX_BYTES), -EINVAL);
    assert_int_equal(frame_begin(&frame, many, FRAME_PARTS_MAX, MAX_BYTES), 0);
    frame_end(&frame);
}

CASES_MAIN(CASE(frames_survive_any_cut), CASE(garbage_is_refused), CASE(too_much_is_refused))
