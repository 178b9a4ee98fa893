/* The publisher's side of the data path, with subscribers of which one is a rogue: the input is what is published, what
 * the rogue writes into its page and when, and what else happens. The honest ones must get exactly what was published.
 */
#include "reader.h"

#include <errno.h>

enum { READERS = 3, LOANS = 4, MOST_STEPS = 64, MOST_LOADS = 100000, MOST_WAITS = 400 };

struct lent {
    mmipc_loan *loan;
    void *data;
    size_t size;
};

static struct scene {
    struct input input;
    mmipc_publisher *publisher;
    struct reader readers[READERS]; /* the last one is the rogue */
    struct lent lent[LOANS];
    uint64_t sequence, change; /* of a word, after so many loads: */
    int change_after, loads, waits;
    unsigned char callers;
} scene;

static struct reader *rogue(void)
{
    return &scene.readers[READERS - 1];
}

static void change_word(const shared_u64 *word)
{
    unsigned char *at;
    uint64_t value;
    CHECK(++scene.loads < MOST_LOADS);
    if (rogue()->page < 0 || scene.change_after == 0 || --scene.change_after > 0)
        return;
    at = fake_shared_word(word);
    if (at < fake_memory(rogue()->page) || at >= fake_memory(rogue()->page) + LAYOUT_PAGE_BYTES) {
        scene.change_after = 1; /* one of its words, then */
        return;
    }
    memcpy(&value, at, sizeof value);
    value ^= scene.change;
    memcpy(at, &value, sizeof value);
}

static void write_as_rogue(void)
{
    const uint8_t what = input_u8(&scene.input);
    const struct outlet *outlet = reader_outlet(rogue(), &scene.publisher->endpoint);
    const uint64_t tail = outlet == NULL ? 0 : outlet->ring.head - (uint64_t)(what >> 4) * RECORD_ALIGN;
    if (rogue()->page < 0)
        return;
    switch (what & 7) {
    case 0:
    case 1:
    case 2:
        shared_store_release(&reader_page(rogue())->tail, tail);
        break;
    case 3:
        shared_store_release(&reader_page(rogue())->tail, input_u64(&scene.input));
        break;
    case 4:
        shared_store_release(&reader_page(rogue())->asleep, input_u8(&scene.input));
        break;
    case 5:
        shared_store_release(&reader_page(rogue())->heartbeat, what);
        reader_throw_mail_away(rogue());
        break;
    case 6:
        shared_store_release(&reader_page(rogue())->tail, (uint64_t)input_u16(&scene.input) * RECORD_ALIGN);
        break;
    case 7:
        scene.change_after = input_u8(&scene.input) % 32 + 1;
        scene.change = (uint64_t)input_u16(&scene.input) << input_u8(&scene.input) % 49;
        break;
    }
}

static void read_some(void)
{
    const uint8_t what = input_u8(&scene.input);
    struct reader *reader = &scene.readers[what % (READERS - 1)];
    reader_read(reader, what / 8);
    if ((what & 4) != 0)
        reader_free(reader);
}

/* While a publish sleeps, the others go on. */
static void meanwhile(void)
{
    const uint8_t what = input_u8(&scene.input);
    CHECK(++scene.waits < MOST_WAITS);
    if ((what & 1) != 0)
        read_some();
    if ((what & 2) != 0)
        write_as_rogue();
    if ((what & 4) != 0)
        reach_control_sweep(&scene.publisher->endpoint, os_now_ns());
}

/* It was published: everybody gets it whom the publisher has not given up. */
static void expect(size_t size, size_t count)
{
    const struct expected expected = {scene.sequence++, size, count};
    for (int i = 0; i < READERS - 1; ++i) {
        const struct outlet *outlet = reader_outlet(&scene.readers[i], &scene.publisher->endpoint);
        if (outlet != NULL && outlet->listed && !flag_get(&outlet->gone))
            reader_expect(&scene.readers[i], &expected);
    }
}

/* Its notes of what it must get are limited. */
static void read_before_full(void)
{
    for (int i = 0; i < READERS - 1; ++i) {
        struct reader *reader = &scene.readers[i];
        if (reader->written - reader->freed < READER_QUEUE)
            continue;
        reader_read(reader, SIZE_MAX);
        reader_free(reader);
    }
}

static size_t any_size(void)
{
    static const size_t sizes[] = {0,    1,    8,     48,    49,    100,   1000,  4000,
                                   4096, 5000, 10000, 16000, 16383, 16384, 24000, 40000};
    const uint8_t what = input_u8(&scene.input);
    return sizes[what & 15] + (what >> 4);
}

/* Has it read all, and can its ring hold a message of that size, which is too small to be referred to? */
static bool is_ready(const struct reader *reader, size_t size)
{
    const struct outlet *outlet = reader_outlet(reader, &scene.publisher->endpoint);
    return size < 1024 && outlet != NULL && outlet->listed && !flag_get(&outlet->gone) &&
           shared_load_relaxed(outlet->ring.peer_tail) == outlet->ring.head &&
           size + 3 * RECORD_ALIGN <= outlet->ring_limit;
}

/* Such a one is not dropped for being full, whatever memory there is. */
static int publish_to_ready(const void *data, size_t size)
{
    const bool nobody_waits = scene.publisher->endpoint.options.when_full == MMIPC_WHEN_FULL_DISCONNECT;
    bool ready[READERS - 1];
    int result;
    for (int i = 0; i < READERS - 1; ++i)
        ready[i] = nobody_waits && is_ready(&scene.readers[i], size);
    result = mmipc_publish(scene.publisher, data, size);
    for (int i = 0; i < READERS - 1; ++i)
        CHECK(!ready[i] || !flag_get(&reader_outlet(&scene.readers[i], &scene.publisher->endpoint)->gone));
    return result;
}

static void publish(void)
{
    mmipc_part parts[64];
    const size_t size = any_size(), times = input_u8(&scene.input) % 8 + 1;
    for (size_t i = 0; i < times; ++i) {
        read_before_full();
        reader_parts(parts, scene.sequence, size, 1);
        if (publish_to_ready(parts[0].data, size) == 0)
            expect(size, 1);
    }
}

static void publish_in_parts(void)
{
    mmipc_part parts[64];
    const size_t count = input_u8(&scene.input) % 64, size = count == 0 ? 0 : any_size();
    read_before_full();
    reader_parts(parts, scene.sequence, size, count);
    if (mmipc_publish_parts(scene.publisher, parts, count) == 0)
        expect(size, count);
}

static void borrow(void)
{
    struct lent *lent = &scene.lent[input_u8(&scene.input) % LOANS];
    const size_t size = any_size();
    if (lent->loan == NULL && mmipc_publish_begin(scene.publisher, size, &lent->loan, &lent->data) == 0)
        lent->size = size;
}

static void give_back(void)
{
    const uint8_t what = input_u8(&scene.input);
    struct lent *lent = &scene.lent[what % LOANS];
    const size_t size = (what & 16) != 0 ? lent->size / 2 : lent->size;
    mmipc_part part;
    if (lent->loan == NULL)
        return;
    read_before_full();
    reader_parts(&part, scene.sequence, size, 1);
    memcpy(lent->data, part.data, size); /* still writable, and nobody else's */
    if ((what & 32) != 0)
        mmipc_publish_abort(lent->loan);
    else if (mmipc_publish_commit(lent->loan, size) == 0)
        expect(size, 1);
    lent->loan = NULL;
}

static void finish_reader(struct reader *reader)
{
    struct endpoint *endpoint = &scene.publisher->endpoint;
    reader_read(reader, SIZE_MAX);
    CHECK(!reader->honest || reader->read == reader->written); /* all that was promised */
    reader_free(reader);
    reader_hang_up(reader, endpoint);
    reach_control_sweep(endpoint, os_now_ns());
    CHECK(reader_outlet(reader, endpoint) == NULL);
    reader_close(reader);
}

static void come_or_go(void)
{
    struct reader *reader = &scene.readers[input_u8(&scene.input) % READERS];
    if (reader->connected)
        finish_reader(reader);
    else
        reader_connect(reader, &scene.publisher->endpoint, ++scene.callers);
}

static void tick(void)
{
    const uint8_t what = input_u8(&scene.input);
    for (int i = 0; i < READERS - 1; ++i)
        if (scene.readers[i].page >= 0 && (what >> i & 1) == 0)
            reader_page(&scene.readers[i])->heartbeat++;
    fake_pass_time((int64_t)(what >> 4) * 500000000);
    reach_control_tick(&scene.publisher->endpoint, os_now_ns());
}

static void step(void)
{
    const uint8_t code = input_u8(&scene.input);
    struct reader *reader = &scene.readers[code / 16 % READERS];
    scene.loads = scene.waits = 0;
    switch (code % 16) {
    case 0:
    case 1:
    case 2:
        publish();
        break;
    case 3:
        publish_in_parts();
        break;
    case 4:
        borrow();
        break;
    case 5:
    case 6:
        give_back();
        break;
    case 7:
    case 8:
        read_some();
        break;
    case 9:
    case 10:
        write_as_rogue();
        break;
    case 11:
        tick();
        break;
    case 12:
        reach_control_sweep(&scene.publisher->endpoint, os_now_ns());
        break;
    case 13:
        come_or_go();
        break;
    case 14:
        if (reader->socket >= 0)
            fake_set_clogged(reader->socket, code >= 128);
        break;
    case 15:
        mmipc_publisher_flush(scene.publisher, code / 64);
        break;
    }
}

static uint64_t references_to(const struct block *block)
{
    uint64_t references = 0;
    for (const struct peer *peer = scene.publisher->endpoint.peers; peer != NULL; peer = peer->next) {
        const struct outlet *outlet = (const struct outlet *)(const void *)peer;
        for (size_t i = 0; i < outlet->debt_count; ++i)
            references += outlet->debts[(outlet->debt_first + i) % outlet->debt_capacity].block == block;
    }
    for (int i = 0; i < LOANS; ++i)
        references += scene.lent[i].loan != NULL && scene.lent[i].data == block->data;
    return references;
}

static void check_outlets(void)
{
    const struct mmipc_publisher *publisher = scene.publisher;
    const size_t most =
        publisher->max_backlog > publisher->first_limit ? publisher->max_backlog : publisher->first_limit;
    size_t ring_bytes = 0;
    for (const struct peer *peer = publisher->endpoint.peers; peer != NULL; peer = peer->next) {
        const struct outlet *outlet = (const struct outlet *)(const void *)peer;
        CHECK(outlet->owed == chain_owed_above(outlet, 0));
        /* what is owed may lower the limit below what is in the ring already; room for RECORD_NEXT there is even so */
        CHECK(outlet->ring.head - outlet->ring.tail + RECORD_SPECIAL_BYTES <= outlet->ring_limit);
        CHECK(outlet->ring.limit <= outlet->ring_limit && outlet->ring_limit <= outlet->ring.size);
        CHECK(outlet->ring.head - outlet->ring.seen + outlet->owed <= most + 4 * RECORD_SPECIAL_BYTES);
        CHECK(outlet->ring.tail >= outlet->ring.base && outlet->ring.seen <= outlet->ring.tail);
        ring_bytes += outlet->counted ? chain_ring_bytes(outlet) : 0;
    }
    CHECK(publisher->ring_bytes == ring_bytes);
}

static void check_accounts(void)
{
    const struct pool *pool = &scene.publisher->pool;
    size_t pool_bytes = 0;
    check_outlets();
    for (size_t place = 0; place < pool->places; ++place) {
        const struct payload_file *file = pool->files[place];
        unsigned used = 0;
        if (file == NULL)
            continue;
        pool_bytes += file->bytes;
        for (unsigned i = 0; i < file->blocks_count; ++i) {
            if (file->blocks[i].references == 0)
                continue;
            CHECK(file->blocks[i].references == references_to(&file->blocks[i]));
            ++used;
        }
        CHECK(used == file->used);
    }
    CHECK(pool->bytes == pool_bytes);
    CHECK(pool->bytes + scene.publisher->ring_bytes <=
          scene.publisher->max_total + READERS * scene.publisher->first_ring_bytes);
}

static void begin(const uint8_t *data, size_t size)
{
    mmipc_options options;
    uint8_t modes;
    memset(&scene, 0, sizeof scene);
    scene.input = (struct input){data, size};
    modes = input_u8(&scene.input);
    mmipc_options_init(&options, sizeof options);
    options.when_full = modes % 3;
    options.publish_timeout_ms = 1;
    options.spin_us = -1;
    options.max_backlog_bytes = (size_t)(modes & 4 ? 100000 : modes & 8 ? 400 : 30 << 20);
    options.max_total_bytes = (size_t)(modes & 16 ? 300000 : modes & 32 ? 3 << 20 : 40 << 20);
    CHECK(mmipc_publisher_open(&scene.publisher, "c", "d", &options) == 0);
    scene.publisher->endpoint.control_running = false; /* it is this thread */
    if ((modes & 64) != 0)                             /* smaller than users can have it: more happens in fewer bytes */
        scene.publisher->first_ring_bytes = scene.publisher->first_limit = LAYOUT_PAGE_BYTES;
    for (int i = 0; i < READERS; ++i) {
        scene.readers[i].honest = i != READERS - 1;
        scene.readers[i].page = scene.readers[i].socket = -1;
        if (i != 1 || (modes & 128) != 0)
            reader_connect(&scene.readers[i], &scene.publisher->endpoint, ++scene.callers);
    }
    restless_loaded = change_word;
    fake_while_waiting = meanwhile;
}

static void end(void)
{
    struct mmipc_publisher *publisher = scene.publisher;
    restless_loaded = NULL;
    for (int i = 0; i < LOANS; ++i)
        mmipc_publish_abort(scene.lent[i].loan);
    for (int i = 0; i < READERS; ++i)
        if (scene.readers[i].connected)
            finish_reader(&scene.readers[i]);
    for (int i = 0; i < 3; ++i)
        reach_control_tick(&publisher->endpoint, os_now_ns());
    CHECK(publisher->endpoint.peers == NULL && publisher->outlet_count == 0);
    CHECK(publisher->ring_bytes == 0 && publisher->pool.bytes == 0 && fake_mapped_bytes() == 0);
    mmipc_publisher_close(publisher);
    fake_check_nothing_left();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t i = 0; reader_noise[0] == 0 && i < sizeof reader_noise; ++i)
        reader_noise[sizeof reader_noise - 1 - i] = (unsigned char)(i * i * 31 + (i >> 8) * 7 + (i >> 3) + 1);
    reader_noise[0] |= 1;
    fake_reset();
    begin(data, size);
    for (int steps = 0; steps < MOST_STEPS && scene.input.left > 0; ++steps) {
        step();
        if (steps % 4 == 0)
            check_accounts();
    }
    end();
    return 0;
}
