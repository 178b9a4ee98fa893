#include "reader.h"

unsigned char reader_noise[NOISE + 256];

enum { MOST_PARTS = 64, GLANCE = 256 /* the whole is looked at when it is freed */ };

size_t reader_parts(mmipc_part *parts, uint64_t sequence, size_t size, size_t count)
{
    const unsigned char *from = reader_noise + sequence % 251;
    for (size_t i = 0; i < count; ++i) {
        const size_t share = i + 1 == count ? size : size / 2;
        parts[i] = (mmipc_part){from, share};
        from += share;
        size -= share;
    }
    return count;
}

struct outlet *reader_outlet(const struct reader *reader, struct endpoint *endpoint)
{
    for (struct peer *peer = endpoint->peers; peer != NULL; peer = peer->next)
        if (memcmp(peer->id, reader->id, ID_BYTES) == 0)
            return (struct outlet *)(void *)peer; /* its first member */
    return NULL;
}

struct reader_page *reader_page(const struct reader *reader)
{
    return (struct reader_page *)(void *)fake_memory(reader->page);
}

void reader_hear(struct reader *reader, struct endpoint *endpoint)
{
    struct outlet *outlet = reader_outlet(reader, endpoint);
    if (outlet != NULL && outlet->peer.socket.fd >= 0)
        outlet->peer.socket.ready(endpoint, &outlet->peer.socket);
}

static void take_ring(struct reader *reader, const struct wire_message *message, int fd)
{
    CHECK(reader->ring_count < READER_RINGS && fake_memory_bytes(fd) == message->bytes);
    reader->keys[reader->ring_count] = message->name;
    reader->rings[reader->ring_count++] = fd;
}

static void take_file(struct reader *reader, const struct wire_message *message, int fd)
{
    const size_t place = message->name & 0xffff;
    CHECK(place < READER_FILES && reader->names[place] == 0 && fake_memory_bytes(fd) == message->bytes);
    reader->names[place] = message->name + 1;
    reader->files[place] = fd;
}

/* Its page at the latest when the publisher has shown its own. */
static void welcome(struct reader *reader)
{
    struct wire_message message;
    struct reader_page page = {
        .magic = LAYOUT_READER_MAGIC, .version = LAYOUT_VERSION, .fingerprint = layout_fingerprint()};
    int fds[2], event = os_wake_create(&fds[1]);
    reader->page = os_memory_create(LAYOUT_PAGE_BYTES);
    memcpy(fake_memory(reader->page), &page, sizeof page);
    os_memory_seal(reader->page);
    fds[0] = reader->page;
    wire_prepare(&message, WIRE_WELCOME);
    memcpy(message.subscriber, reader->id, ID_BYTES);
    message.ping_interval_ms = 1000;
    fake_post(reader->socket, &message, sizeof message, fds, 2);
    os_close(fds[1]);
    os_close(event);
    reader->ring = (struct ring_reader){fake_memory(reader->rings[0]), fake_memory_bytes(reader->rings[0]),
                                        reader->keys[0], 0, &reader_page(reader)->tail};
}

static void take_mail(struct reader *reader, const struct wire_message *message, int *fds, int count)
{
    struct wire_message answer;
    switch (message->type) {
    case WIRE_HELLO:
        wire_prepare(&answer, WIRE_ACCEPT);
        fake_post(reader->socket, &answer, sizeof answer, NULL, 0);
        break;
    case WIRE_RING:
        CHECK(count == 3);
        os_close(fds[0]);
        os_close(fds[2]);
        take_ring(reader, message, fds[1]);
        welcome(reader);
        break;
    case WIRE_NEXT:
        CHECK(count == 1);
        take_ring(reader, message, fds[0]);
        break;
    case WIRE_PAYLOAD:
        CHECK(count == 1);
        take_file(reader, message, fds[0]);
        break;
    default:
        CHECK(count == 0 && (message->type == WIRE_START || message->type == WIRE_BYE));
    }
}

/* One mail: a file that takes the place of another comes after the record that forgets it. */
static bool take_a_mail(struct reader *reader)
{
    struct wire_message message;
    int fds[OS_FDS_MAX], count;
    if (!fake_fetch(reader->socket, &message, fds, &count))
        return false;
    take_mail(reader, &message, fds, count);
    return true;
}

void reader_connect(struct reader *reader, struct endpoint *endpoint, unsigned char id)
{
    const struct outlet *outlet;
    const bool honest = reader->honest;
    memset(reader, 0, sizeof *reader);
    reader->honest = honest;
    reader->socket = reader->page = -1;
    memset(reader->id, id, ID_BYTES);
    reach_found(endpoint, reader->id);
    outlet = reader_outlet(reader, endpoint);
    if (outlet == NULL)
        return; /* max_total_bytes */
    reader->socket = fake_dup(outlet->peer.socket.fd);
    reader->connected = true;
    for (int i = 0; i < 3; ++i) { /* HELLO, RING, START */
        take_a_mail(reader);
        reader_hear(reader, endpoint);
    }
}

void reader_throw_mail_away(struct reader *reader)
{
    struct wire_message message;
    int fds[OS_FDS_MAX], count;
    while (reader->socket >= 0 && fake_fetch(reader->socket, &message, fds, &count))
        for (int i = 0; i < count; ++i)
            os_close(fds[i]);
}

static const struct expected *expected_next(const struct reader *reader)
{
    CHECK(reader->read < reader->written);
    return &reader->expected[reader->read % READER_QUEUE];
}

static void check_message(const struct ring_record *record, const struct expected *expected, size_t most)
{
    mmipc_part parts[MOST_PARTS], wanted[MOST_PARTS];
    CHECK(record->count == expected->count);
    CHECK(message_parts(record->body, record->size, parts, record->count) == 0);
    reader_parts(wanted, expected->sequence, expected->size, expected->count);
    for (size_t i = 0; i < record->count; ++i) {
        const size_t looked_at = wanted[i].size < most ? wanted[i].size : most;
        CHECK(parts[i].size == wanted[i].size && memcmp(parts[i].data, wanted[i].data, looked_at) == 0);
    }
}

/* What a record refers to, whose mail must have been sent before it. */
static void follow(struct reader *reader, struct ring_record *record)
{
    struct record_reference reference;
    size_t place;
    memcpy(&reference, record->body, sizeof reference);
    place = reference.file & 0xffff;
    CHECK(place < READER_FILES);
    while (reader->names[place] != reference.file + 1)
        CHECK(take_a_mail(reader));
    if (record->kind == RECORD_FORGET) {
        os_close(reader->files[place]);
        reader->names[place] = 0;
        return;
    }
    CHECK(reference.offset <= fake_memory_bytes(reader->files[place]));
    CHECK(reference.size <= fake_memory_bytes(reader->files[place]) - reference.offset);
    record->body = fake_memory(reader->files[place]) + reference.offset;
    record->size = reference.size;
}

static void go_on(struct reader *reader)
{
    const int now = ++reader->ring_now;
    while (now >= reader->ring_count)
        CHECK(take_a_mail(reader));
    reader->ring.data = fake_memory(reader->rings[now]);
    reader->ring.size = fake_memory_bytes(reader->rings[now]);
    reader->ring.key = reader->keys[now];
}

void reader_read(struct reader *reader, size_t most)
{
    struct ring_record record;
    if (reader->page < 0 || !reader->honest)
        return;
    while (most > 0 && reader->read - reader->freed < READER_QUEUE && ring_take(&reader->ring, &record) != 0) {
        if (record.kind == RECORD_NEXT) {
            go_on(reader);
            continue;
        }
        if (record.kind != RECORD_INLINE)
            follow(reader, &record);
        if (record.kind == RECORD_FORGET)
            continue;
        check_message(&record, expected_next(reader), GLANCE);
        reader->taken[reader->read % READER_QUEUE] = record;
        reader->read++;
        --most;
    }
}

void reader_free(struct reader *reader)
{
    if (reader->page < 0)
        return;
    for (; reader->freed < reader->read; reader->freed++)
        check_message(&reader->taken[reader->freed % READER_QUEUE], &reader->expected[reader->freed % READER_QUEUE],
                      SIZE_MAX);
    ring_release(&reader->ring, reader->ring.position);
}

void reader_expect(struct reader *reader, const struct expected *expected)
{
    CHECK(reader->written - reader->freed < READER_QUEUE);
    reader->expected[reader->written++ % READER_QUEUE] = *expected;
}

void reader_hang_up(struct reader *reader, struct endpoint *endpoint)
{
    const struct outlet *outlet = reader_outlet(reader, endpoint);
    if (reader->socket < 0 || reader->left)
        return;
    fake_hang_up(reader->socket);
    reader->left = true;
    for (int i = 0; outlet != NULL && outlet->peer.socket.fd >= 0; ++i) {
        CHECK(i < 100); /* a mail each time */
        reader_hear(reader, endpoint);
    }
}

void reader_close(struct reader *reader)
{
    if (!reader->connected)
        return;
    reader_throw_mail_away(reader);
    for (int i = 0; i < reader->ring_count; ++i)
        os_close(reader->rings[i]);
    for (size_t i = 0; i < READER_FILES; ++i)
        if (reader->names[i] != 0)
            os_close(reader->files[i]);
    os_close(reader->page);
    os_close(reader->socket);
    reader->connected = false;
    reader->page = reader->socket = -1;
}
