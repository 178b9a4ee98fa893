/* Records of a ring as a reader sees them: the ring's bytes are the input, with a right commit word wherever the reader
 * looks for one, as a rogue writer would put it there. */
#include "fake_os.h"
#include "fuzz.h"
#include "subscriber.h"

#include <errno.h>

enum { RING_BYTES = 4096, FILES = 3, MOST_TAKES = 80 };
static const size_t file_bytes[FILES] = {16, 4096, 10000};

static unsigned char *ring; /* the writer's view */
static uint64_t changes;    /* what the next loads leave behind */

static void change_word(const shared_u64 *word)
{
    unsigned char *at = (changes & 1) != 0 ? fake_shared_word(word) : NULL;
    uint64_t value;
    changes >>= 1;
    if (at == NULL)
        return;
    memcpy(&value, at, sizeof value);
    value ^= changes << 3;
    memcpy(at, &value, sizeof value);
}

static void arrive(struct inlet *inlet, enum wire_type type, uint64_t name, size_t bytes)
{
    bool awaited;
    struct wire_message message;
    const int fd = os_memory_create(bytes);
    wire_prepare(&message, type);
    message.bytes = bytes;
    message.name = name;
    os_memory_seal(fd);
    if (type != WIRE_PAYLOAD && ring == NULL)
        ring = fake_memory(fd);
    CHECK(inlet_arrived(inlet, &message, fd, &awaited) == 0);
    os_close(fd);
}

static void check_parts(const struct ring_record *record)
{
    mmipc_part *parts =
        malloc(record->count == 0 ? 1 : record->count * sizeof *parts); /* exact: a sanitizer looks on */
    uint64_t sum = 0;
    CHECK(parts != NULL);
    if (message_parts(record->body, record->size, parts, record->count) == 0) {
        for (size_t i = 0; i < record->count; ++i) {
            CHECK(fake_is_mapped(parts[i].data, parts[i].size));
            CHECK(parts[i].size <= record->size);
            sum += parts[i].size;
        }
        CHECK(sum <= record->size);
    }
    free(parts);
}

/* Its own part of the ring, whose end is where the record that is looked at goes on. */
static void commit_next(const struct inlet *inlet, uint64_t position)
{
    const uint64_t commit = position ^ inlet->ring.key;
    memcpy(ring + (position & (RING_BYTES - 1)), &commit, sizeof commit);
}

static void take_all(struct inlet *inlet, struct input *input)
{
    for (int takes = 0; takes < MOST_TAKES; ++takes) {
        struct ring_record record;
        const uint64_t before = inlet->ring.position;
        int got;
        if (inlet->ring.size == RING_BYTES && fake_is_mapped(inlet->ring.data, RING_BYTES))
            commit_next(inlet, before);
        changes = takes % 8 == 0 ? input_u64(input) : changes;
        got = inlet_take(inlet, &record);
        CHECK(inlet->ring.position % RECORD_ALIGN == 0 && inlet->ring.position >= before);
        if (got <= 0)
            return;
        CHECK(record.total <= inlet->ring.size && record.position + record.total == inlet->ring.position);
        CHECK(fake_is_mapped(record.body, record.size));
        check_parts(&record);
        inlet_free_to(inlet, inlet->ring.position);
        CHECK(shared_load_relaxed(inlet->ring.tail) == inlet->ring.position);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct writer_page theirs;
    static shared_u64 tail;
    struct input input = {data, size};
    struct inlet inlet;
    fake_reset();
    memset(&inlet, 0, sizeof inlet);
    pthread_mutex_init(&inlet.lock, NULL);
    inlet.theirs = &theirs;
    inlet.ring.tail = &tail;
    inlet.wake_event = inlet.room_event = -1;
    inlet.ring.position = (uint64_t)input_u16(&input) * RECORD_ALIGN;
    atomic_init(&inlet.hung_up, input_u8(&input) & 1);
    ring = NULL;
    arrive(&inlet, WIRE_RING, 1, RING_BYTES);
    CHECK(inlet_enter_first_ring(&inlet) == 0);
    for (size_t i = 0; i < FILES; ++i)
        arrive(&inlet, WIRE_PAYLOAD, i, file_bytes[i]);
    arrive(&inlet, WIRE_NEXT, 1, RING_BYTES);
    if (input.left > 64) {
        changes = input_u64(&input);
        input_bytes(&input, ring, input.left < RING_BYTES ? input.left : RING_BYTES);
    }
    restless_loaded = change_word;
    take_all(&inlet, &input);
    restless_loaded = NULL;
    inlet_unmap(&inlet);
    pthread_mutex_destroy(&inlet.lock);
    CHECK(fake_mapped_bytes() == 0);
    fake_check_nothing_left();
    return 0;
}
