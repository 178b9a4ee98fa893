/* A rogue scribbles over what its own pair shares, as only it may write there, while the same endpoint serves others:
 * its pair ends or goes on, and nobody else loses or sees anything. */
#include "actor.h"
#include "cases.h"
#include "os/os.h"
#include "pattern.h"
#include "receiver.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROUNDS = 20, MESSAGES = 60, MOST_MAPPINGS = 256 };

/* In the rogue's process: what its library maps to write to. See --wrap in CMakeLists.txt. */
static struct {
    unsigned char *base;
    size_t size;
} mappings[MOST_MAPPINGS];
static pthread_mutex_t mappings_lock = PTHREAD_MUTEX_INITIALIZER;

int __real_os_memory_map(int fd, size_t header_bytes, size_t ring_bytes, bool writable,
                         void **out); // NOLINT: the linker's
int __wrap_os_memory_map(int fd, size_t header_bytes, size_t ring_bytes, bool writable, void **out); // NOLINT
void __real_os_memory_unmap(void *base, size_t header_bytes, size_t ring_bytes);                     // NOLINT
void __wrap_os_memory_unmap(void *base, size_t header_bytes, size_t ring_bytes);                     // NOLINT

int __wrap_os_memory_map(int fd, size_t header_bytes, size_t ring_bytes, bool writable, void **out) // NOLINT
{
    const int error = __real_os_memory_map(fd, header_bytes, ring_bytes, writable, out);
    pthread_mutex_lock(&mappings_lock);
    for (int i = 0; error == 0 && writable && i < MOST_MAPPINGS; ++i) {
        if (mappings[i].base != NULL)
            continue;
        mappings[i].base = *out;
        mappings[i].size = header_bytes + ring_bytes;
        break;
    }
    pthread_mutex_unlock(&mappings_lock);
    return error;
}

void __wrap_os_memory_unmap(void *base, size_t header_bytes, size_t ring_bytes) // NOLINT
{
    pthread_mutex_lock(&mappings_lock);
    for (int i = 0; i < MOST_MAPPINGS; ++i)
        if (mappings[i].base == base)
            mappings[i].base = NULL;
    pthread_mutex_unlock(&mappings_lock);
    __real_os_memory_unmap(base, header_bytes, ring_bytes);
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 16;
}

/* How: all over, so that hardly a record is found again; all but the words by which one is found; a few bytes of those.
 */
enum { EVERYTHING, RECORDS, FEW_BYTES, MANNERS };

/* Anywhere, but mostly where a mapping begins, which is in use. It races with the rogue's own library, as it is meant
 * to. */
__attribute__((no_sanitize("thread"))) static void scribble_once(unsigned char *base, size_t size, int manner,
                                                                 uint64_t *state)
{
    const size_t span = next_random(state) % 4 == 0 || size < 4096 ? size : 4096;
    size_t at = next_random(state) % span, count = next_random(state) % (manner == FEW_BYTES ? 2 : 16) + 1;
    if (manner == FEW_BYTES && next_random(state) % 2 == 0)
        at = at / 64 * 64 + 8 + at % 5; /* the size of a record, if one begins there */
    for (; count > 0 && at < size; --count, ++at)
        if (manner == EVERYTHING || at % 64 >= 8)
            base[at] = (unsigned char)next_random(state);
}

/* "scribble SEED MANNER"; answers how many mappings there were. */
static long rogue(const char *line)
{
    unsigned long seed;
    int manner, count = 0;
    uint64_t state;
    if (sscanf(line, "scribble %lu %d", &seed, &manner) != 2)
        return -ENOSYS;
    state = seed;
    pthread_mutex_lock(&mappings_lock);
    for (int i = 0; i < MOST_MAPPINGS; ++i) {
        if (mappings[i].base == NULL)
            continue;
        ++count;
        for (int writes = manner == FEW_BYTES ? 60 : 2000; writes > 0; --writes)
            scribble_once(mappings[i].base, mappings[i].size, manner, &state);
    }
    pthread_mutex_unlock(&mappings_lock);
    return count;
}

/* Takes the honest publisher's messages in order; whatever else comes may be anything. */
struct listener {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    long count, protocol;
    bool held, in_handler;
};

static void listen_to(void *user, const mmipc_part *parts, size_t count)
{
    struct listener *listener = user;
    unsigned sum = 0;
    for (size_t i = 0; i < count; ++i) /* a fault, were it not all there */
        for (size_t at = 0; at < parts[i].size; at += 61)
            sum += ((const volatile unsigned char *)parts[i].data)[at];
    (void)sum;
    pthread_mutex_lock(&listener->lock);
    listener->in_handler = true;
    pthread_cond_broadcast(&listener->changed);
    while (listener->held)
        pthread_cond_wait(&listener->changed, &listener->lock);
    if (count == 1 && parts[0].size == 1000 && pattern_holds(parts, count, (uint64_t)listener->count))
        listener->count++;
    pthread_cond_broadcast(&listener->changed);
    pthread_mutex_unlock(&listener->lock);
}

static void note_peer(void *user, int event, int pid, int reason)
{
    struct listener *listener = user;
    (void)pid;
    pthread_mutex_lock(&listener->lock);
    listener->protocol += event == MMIPC_PEER_DISCONNECTED && reason == MMIPC_REASON_PROTOCOL;
    pthread_cond_broadcast(&listener->changed);
    pthread_mutex_unlock(&listener->lock);
}

static long protocol_ends(struct listener *listener)
{
    long count;
    pthread_mutex_lock(&listener->lock);
    count = listener->protocol;
    pthread_mutex_unlock(&listener->lock);
    return count;
}

static void set_held(struct listener *listener, bool held)
{
    pthread_mutex_lock(&listener->lock);
    listener->held = held;
    listener->in_handler = false;
    pthread_cond_broadcast(&listener->changed);
    pthread_mutex_unlock(&listener->lock);
}

/* The rogue's records lie unread while it scribbles over them. */
static void scribble_over_unread(struct listener *listener, const struct actor *bad, int round)
{
    set_held(listener, true);
    actor_ask(bad, "publish 1000000 1 100");
    RECEIVER_WAIT(listener, in_handler, true);
    actor_ask(bad, "publish 1000001 20 %d", round % 2 == 0 ? 100 : 20000);
    actor_ask(bad, "parts");
    assert_true(actor_ask(bad, "scribble %d %d", round + 1, round % MANNERS) > 1);
    set_held(listener, false);
}

static void publisher_over_its_pair(void **state)
{
    char *directory = test_directory();
    struct listener listener = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct actor good = actor_start("publisher", "c", directory, "pattern=1");
    mmipc_subscriber *to;
    mmipc_options options;
    (void)state;
    mmipc_options_init(&options, sizeof options);
    options.on_peer = note_peer;
    options.user = &listener;
    assert_int_equal(mmipc_subscriber_open(&to, "c", directory, listen_to, &listener, &options), 0);
    assert_int_equal(actor_ask(&good, "connected 1 10000"), 0);
    for (int round = 0; round < ROUNDS; ++round) {
        const long before = protocol_ends(&listener);
        struct actor bad = actor_start("publisher", "c", directory, "pattern=1 when_full=1");
        assert_int_equal(actor_ask(&bad, "connected 1 10000"), 0);
        actor_tell(&good, "publish %d %d 1000", round * MESSAGES, MESSAGES);
        scribble_over_unread(&listener, &bad, round);
        if (round % MANNERS == RECORDS) /* they are there, and make no sense */
            RECEIVER_WAIT(&listener, protocol, before + 1);
        assert_int_equal(actor_answer(&good), 0);
        RECEIVER_WAIT(&listener, count, (round + 1L) * MESSAGES);
        if (round % 4 < 2)
            actor_kill(&bad);
        else
            actor_end(&bad);
    }
    actor_end(&good);
    mmipc_subscriber_close(to);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void publisher_over_its_pair_pull(void **state)
{
    char *directory = test_directory();
    struct actor good = actor_start("publisher", "c", directory, "pattern=1");
    mmipc_subscriber *to;
    long count = 0;
    (void)state;
    assert_int_equal(mmipc_subscriber_open(&to, "c", directory, NULL, NULL, NULL), 0);
    assert_int_equal(actor_ask(&good, "connected 1 10000"), 0);
    for (int round = 0; round < ROUNDS; ++round) {
        struct actor bad = actor_start("publisher", "c", directory, "pattern=1 when_full=1");
        mmipc_message *kept = NULL;
        assert_int_equal(actor_ask(&bad, "connected 1 10000"), 0);
        actor_ask(&bad, "publish 1000001 20 %d", round % 2 == 0 ? 100 : 20000);
        assert_int_equal(mmipc_subscriber_receive(to, &kept, 10000), 0); /* the rogue's: held over its end */
        assert_int_equal(actor_ask(&good, "publish %d %d 1000", round * MESSAGES, MESSAGES), 0);
        assert_true(actor_ask(&bad, "scribble %d %d", round + 1, round % MANNERS) > 1);
        while (count < (round + 1L) * MESSAGES) {
            mmipc_message *message;
            const mmipc_part *parts;
            size_t parts_count;
            assert_int_equal(mmipc_subscriber_receive(to, &message, 10000), 0);
            parts_count = mmipc_message_parts(message, &parts);
            count += pattern_holds(parts, parts_count, (uint64_t)count);
            mmipc_message_release(message);
        }
        if (round % 4 < 2)
            actor_kill(&bad);
        else
            actor_end(&bad);
        mmipc_message_release(kept);
    }
    actor_end(&good);
    mmipc_subscriber_close(to);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void publish_some(mmipc_publisher *publisher, long first)
{
    static const size_t sizes[] = {48, 1000, 5000, 20000};
    static char data[20000];
    for (long i = first; i < first + MESSAGES; ++i) {
        pattern_fill(data, sizes[i % 4], (uint64_t)i);
        assert_int_equal(mmipc_publish(publisher, data, sizes[i % 4]), 0);
    }
}

static void subscriber_over_its_page(void **state)
{
    char *directory = test_directory();
    struct listener listener = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct actor good = actor_start("subscriber", "c", directory, "pattern=1");
    mmipc_publisher *publisher;
    mmipc_options options;
    (void)state;
    mmipc_options_init(&options, sizeof options);
    options.when_full = MMIPC_WHEN_FULL_DISCONNECT; /* who scribbles over `asleep` is not woken, and falls behind */
    options.max_backlog_bytes = 8 << 20;
    options.on_peer = note_peer;
    options.user = &listener;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, &options), 0);
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
    for (int round = 0; round < ROUNDS; ++round) {
        const long before = protocol_ends(&listener);
        struct actor bad = actor_start("subscriber", "c", directory, "");
        assert_int_equal(mmipc_publisher_wait_connected(publisher, 2, 10000), 0);
        assert_int_equal(actor_ask(&bad, "hold 1"), 0);
        publish_some(publisher, 2L * round * MESSAGES);
        assert_int_equal(actor_ask(&bad, "scribble %d %d", round + 1, EVERYTHING), 1);
        publish_some(publisher, (2L * round + 1) * MESSAGES);
        RECEIVER_WAIT(&listener, protocol, before + 1);
        assert_int_equal(actor_ask(&good, "expect %d", (2 * round + 2) * MESSAGES), (2 * round + 2) * MESSAGES);
        if (round % 2 == 0)
            actor_kill(&bad); /* the next one removes its files */
        else
            actor_end(&bad);
        while (mmipc_publisher_connections(publisher) > 1)
            sched_yield();
    }
    mmipc_publisher_close(publisher);
    actor_end(&good);
    assert_int_equal(test_directory_remove(directory), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {CASE(publisher_over_its_pair), CASE(publisher_over_its_pair_pull),
                                       CASE(subscriber_over_its_page)};
    if (argc > 1 && strcmp(argv[1], "--actor") == 0)
        actor_other = rogue;
    actor_main(argc, argv);
    return cases_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
