/* The chain of a pair as a subscriber sees it: the input is what a rogue publisher does, from the handshake on, and
 * what the user does meanwhile. */
#include "fake_os.h"
#include "fuzz.h"
#include "reach.h"

#include <errno.h>

enum { MOST_STEPS = 200, MOST_HELD = 16, MOST_MEMORIES = 24, MOST_LOADS = 200000 };

struct memory {
    int fd;
    bool is_ring;
    uint64_t name; /* or key */
};

static struct rogue {
    struct input input;
    mmipc_subscriber *subscriber;
    int socket; /* our end */
    struct peer *peer;
    struct memory memories[MOST_MEMORIES];
    int memory_count, ring; /* the one that is written to */
    uint64_t position;
    mmipc_message *held[MOST_HELD];
    bool pull;
    uint64_t change; /* of a word, after so many loads: */
    int change_after, loads;
} rogue;

/* After it was looked at, a word changes, if the input says so. */
static void change_word(const shared_u64 *word)
{
    unsigned char *at;
    uint64_t value;
    CHECK(++rogue.loads < MOST_LOADS); /* of one step: no loop is endless */
    if (rogue.change_after == 0 || --rogue.change_after > 0 || (at = fake_shared_word(word)) == NULL)
        return;
    memcpy(&value, at, sizeof value);
    value ^= rogue.change;
    memcpy(at, &value, sizeof value);
}

static void check_parts(void *user, const mmipc_part *parts, size_t count)
{
    (void)user;
    for (size_t i = 0; i < count; ++i) {
        CHECK(fake_is_mapped(parts[i].data, parts[i].size));
        if (parts[i].size > 0) {
            const volatile unsigned char *bytes = parts[i].data;
            (void)bytes[0];
            (void)bytes[parts[i].size - 1];
        }
    }
}

static void prepare(struct wire_message *message, enum wire_type type)
{
    wire_prepare(message, type);
    memset(message->publisher, 7, ID_BYTES);
    memcpy(message->subscriber, rogue.subscriber->endpoint.id, ID_BYTES);
    strcpy(message->channel, "c");
    message->ping_interval_ms = 1000;
}

static void post(enum wire_type type, uint64_t bytes, uint64_t name, const int *fds, int count)
{
    struct wire_message message;
    prepare(&message, type);
    message.bytes = bytes;
    message.name = name;
    fake_post(rogue.socket, &message, sizeof message, fds, count);
}

static struct memory *make_memory(bool is_ring, size_t bytes, uint64_t name, bool sealed)
{
    struct memory *memory = &rogue.memories[rogue.memory_count];
    if (rogue.memory_count == MOST_MEMORIES)
        return NULL;
    *memory = (struct memory){os_memory_create(bytes), is_ring, name};
    if (bytes > 4 * LAYOUT_PAGE_BYTES)
        memset(fake_memory(memory->fd), 0, bytes);
    if (sealed)
        os_memory_seal(memory->fd);
    rogue.memory_count++;
    return memory;
}

static void hear(void)
{
    if (rogue.peer != NULL && rogue.peer->socket.fd >= 0)
        rogue.peer->socket.ready(&rogue.subscriber->endpoint, &rogue.peer->socket);
}

/* As an honest publisher would; it may leave out the end. */
static void greet(bool starts)
{
    struct wire_message ignored;
    struct writer_page page = {
        .magic = LAYOUT_WRITER_MAGIC, .version = LAYOUT_VERSION, .fingerprint = layout_fingerprint()};
    int fds[OS_FDS_MAX], count, event, other;
    const struct memory *ring = make_memory(true, LAYOUT_PAGE_BYTES, 1, true);
    other = os_wake_create(&event);
    fds[0] = os_memory_create(LAYOUT_PAGE_BYTES);
    os_memory_seal(fds[0]);
    memcpy(fake_memory(fds[0]), &page, sizeof page);
    fds[1] = ring->fd;
    fds[2] = event;
    post(WIRE_HELLO, 0, 0, NULL, 0);
    post(WIRE_RING, LAYOUT_PAGE_BYTES, 1, fds, 3);
    if (starts)
        post(WIRE_START, 0, 0, NULL, 0);
    hear();
    os_close(fds[0]);
    os_close(event);
    os_close(other);
    while (fake_fetch(rogue.socket, &ignored, fds, &count))
        for (int i = 0; i < count; ++i)
            os_close(fds[i]);
}

/* Where the rogue writes; NULL: nowhere. */
static unsigned char *spot(uint64_t *size)
{
    const struct memory *memory = &rogue.memories[rogue.ring];
    *size = fake_memory_bytes(memory->fd);
    if (!memory->is_ring || *size < LAYOUT_PAGE_BYTES)
        return NULL;
    while ((*size & (*size - 1)) != 0)
        *size &= *size - 1;
    return fake_memory(memory->fd);
}

/* A record where the honest one would be, of any shape. */
static void record(uint64_t shape, const void *body, size_t bytes, uint64_t advance)
{
    uint64_t size;
    unsigned char *ring = spot(&size);
    const uint64_t commit = rogue.position ^ rogue.memories[rogue.ring].name;
    if (ring == NULL)
        return;
    ring += rogue.position & (size - 1); /* its second half is the first again */
    memcpy(ring, &commit, sizeof commit);
    memcpy(ring + 8, &shape, sizeof shape);
    if (bytes > 0)
        memcpy(ring + RECORD_HEADER_BYTES, body, bytes);
    rogue.position += align_up(RECORD_HEADER_BYTES + advance, RECORD_ALIGN);
}

static uint64_t shape_of(uint64_t kind, uint64_t count, uint64_t body)
{
    return body | count << RECORD_BODY_BITS | kind << RECORD_KIND_SHIFT;
}

static void write_inline(void)
{
    unsigned char body[256];
    const uint64_t bytes = input_u16(&rogue.input) % 4200, count = input_u8(&rogue.input),
                   told = input_u8(&rogue.input) % 64;
    input_bytes(&rogue.input, body, told);
    record(shape_of(RECORD_INLINE, count, bytes), body, told, bytes);
}

static void refer(enum record_kind kind)
{
    const uint64_t place = input_u8(&rogue.input), made = place >> 4;
    const struct record_reference reference = {made << PAYLOAD_PLACE_BITS | (place & 15), input_u16(&rogue.input),
                                               input_u16(&rogue.input)};
    record(shape_of(kind, kind == RECORD_SHARED ? input_u8(&rogue.input) : 0, sizeof reference), &reference,
           sizeof reference, sizeof reference);
}

static void write_any_shape(void)
{
    unsigned char body[48];
    const uint64_t shape = input_u64(&rogue.input);
    input_bytes(&rogue.input, body, sizeof body);
    record(shape, body, sizeof body, shape & 0xfff);
}

static void write_bytes(void)
{
    unsigned char bytes[256];
    const struct memory *memory = &rogue.memories[input_u8(&rogue.input) % rogue.memory_count];
    const size_t at = input_u16(&rogue.input), count = input_u8(&rogue.input);
    input_bytes(&rogue.input, bytes, count);
    if (at + count <= fake_memory_bytes(memory->fd))
        memcpy(fake_memory(memory->fd) + at, bytes, count);
}

static void send_memory(bool is_ring)
{
    static const size_t ring_sizes[] = {4096, 4096, 8192, 16384, 4095, 65536, 0, 12288};
    static const size_t file_sizes[] = {4096, 16, 65536, 1, 5000, 0, 48, 4096};
    const uint8_t what = input_u8(&rogue.input), name = input_u8(&rogue.input);
    const size_t bytes = (is_ring ? ring_sizes : file_sizes)[what & 7];
    const struct memory *memory = make_memory(
        is_ring, bytes, is_ring ? name : (uint64_t)(name >> 4) << PAYLOAD_PLACE_BITS | (name & 15), (what & 0x10) == 0);
    if (memory != NULL && (what & 0x20) == 0)
        post(is_ring ? WIRE_NEXT : WIRE_PAYLOAD, (what & 0x40) == 0 ? bytes : bytes * 2 + 1, memory->name, &memory->fd,
             1);
}

/* Sent before, and once more; or never before. */
static void send_again(void)
{
    const struct memory *memory = &rogue.memories[input_u8(&rogue.input) % rogue.memory_count];
    post(memory->is_ring ? WIRE_NEXT : WIRE_PAYLOAD, fake_memory_bytes(memory->fd), memory->name, &memory->fd, 1);
}

static void next(void)
{
    record(shape_of(RECORD_NEXT, 0, 0), NULL, 0, 0);
    for (int i = rogue.ring + 1; i < rogue.memory_count; ++i) {
        if (rogue.memories[i].is_ring) {
            rogue.ring = i;
            break;
        }
    }
}

static void receive(void)
{
    const size_t place = input_u8(&rogue.input) % MOST_HELD;
    const mmipc_part *parts;
    if (rogue.subscriber == NULL)
        return;
    if (!rogue.pull) {
        reach_serve(rogue.subscriber);
    } else if (rogue.held[place] == NULL &&
               mmipc_subscriber_receive(rogue.subscriber, &rogue.held[place], (int)(place & 1)) == 0) {
        const size_t count = mmipc_message_parts(rogue.held[place], &parts);
        check_parts(NULL, parts, count);
    }
}

static void release(size_t place)
{
    const mmipc_part *parts;
    size_t count;
    if (rogue.held[place] == NULL)
        return;
    count = mmipc_message_parts(rogue.held[place], &parts); /* still there, whatever happened since */
    check_parts(NULL, parts, count);
    mmipc_message_release(rogue.held[place]);
    rogue.held[place] = NULL;
}

static void control(void)
{
    struct endpoint *endpoint = &rogue.subscriber->endpoint;
    const uint8_t what = input_u8(&rogue.input);
    if ((what & 1) != 0)
        fake_pass_time((int64_t)what * 100000000);
    if ((what & 2) != 0)
        reach_control_tick(endpoint, os_now_ns());
    reach_control_sweep(endpoint, os_now_ns());
    rogue.peer = endpoint->peers; /* there is one, or none */
}

static void close_subscriber(void)
{
    restless_loaded = NULL;
    reach_control_end(&rogue.subscriber->endpoint);
    mmipc_subscriber_close(rogue.subscriber);
    rogue.subscriber = NULL;
    rogue.peer = NULL;
}

static void step(void)
{
    static const enum wire_type odd[] = {WIRE_START, WIRE_START,  WIRE_HELLO, WIRE_RING,
                                         WIRE_BYE,   WIRE_STATUS, WIRE_NEXT,  WIRE_REJECT};
    const uint8_t code = input_u8(&rogue.input);
    rogue.loads = 0;
    switch (code % 20) {
    case 0:
    case 1:
        write_inline();
        break;
    case 2:
        next();
        break;
    case 3:
        refer(RECORD_SHARED);
        break;
    case 4:
        refer(RECORD_FORGET);
        break;
    case 5:
        write_any_shape();
        break;
    case 6:
        write_bytes();
        break;
    case 7:
        send_memory(true);
        break;
    case 8:
        send_memory(false);
        break;
    case 9:
        send_again();
        break;
    case 10:
    case 11:
        hear();
        break;
    case 12:
    case 13:
        receive();
        break;
    case 14:
        release(input_u8(&rogue.input) % MOST_HELD);
        break;
    case 15:
        control();
        break;
    case 16:
        rogue.change_after = input_u8(&rogue.input) % 32 + 1;
        rogue.change = (uint64_t)input_u16(&rogue.input) << input_u8(&rogue.input) % 49;
        break;
    case 17:
        post(odd[code / 20 % 8], 0, 0, NULL, 0);
        break;
    case 18:
        fake_hang_up(rogue.socket);
        break;
    case 19:
        rogue.position = (uint64_t)input_u16(&rogue.input) * RECORD_ALIGN;
        break;
    }
}

static void begin(const uint8_t *data, size_t size)
{
    int error, theirs;
    uint8_t modes;
    memset(&rogue, 0, sizeof rogue);
    rogue.input = (struct input){data, size};
    modes = input_u8(&rogue.input);
    rogue.pull = (modes & 1) != 0;
    error = mmipc_subscriber_open(&rogue.subscriber, "c", "d", rogue.pull ? NULL : check_parts, NULL, NULL);
    CHECK(error == 0);
    rogue.subscriber->endpoint.control_running = rogue.subscriber->thread_running = false; /* both are this thread */
    theirs = fake_socket();
    rogue.socket = fake_dup(theirs);
    rogue.subscriber->endpoint.role->accepted(&rogue.subscriber->endpoint, theirs);
    rogue.peer = rogue.subscriber->endpoint.peers;
    CHECK(rogue.peer != NULL);
    if (rogue.pull && (modes & 4) != 0)
        mmipc_subscriber_fd(rogue.subscriber); /* the user waits with it: another way to sleep */
    restless_loaded = change_word;
    greet((modes & 2) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fake_reset();
    begin(data, size);
    for (int steps = 0; steps < MOST_STEPS && rogue.input.left > 0 && rogue.subscriber != NULL; ++steps)
        step();
    close_subscriber();
    for (size_t i = 0; i < MOST_HELD; ++i) /* they outlive it */
        release(i);
    CHECK(fake_mapped_bytes() == 0);
    CHECK(fake_is_last(rogue.socket));
    os_close(rogue.socket);
    for (int i = 0; i < rogue.memory_count; ++i)
        os_close(rogue.memories[i].fd);
    fake_check_nothing_left();
    return 0;
}
