/* Both ends of a pair as threads of one process, with everything that belongs to them, so that ThreadSanitizer sees
 * what it cannot see across processes: rings, chain, payload, the gate's bias, sleeping and waking. */
#include "cases.h"
#include "os/os.h"
#include "pattern.h"
#include "publisher.h"
#include "receiver.h"
#include "subscriber.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Where a backlog is small: who is silent for two intervals is waited for no longer, and a loaded machine may silence a
 * sanitizer's build for longer than the 40 ms of an interval that has many ticks. */
enum { NEVER_SILENT_MS = 10000 };

int __real_os_socket_peer(int fd, struct os_peer *out);
int __wrap_os_socket_peer(int fd, struct os_peer *out);

int __wrap_os_socket_peer(int fd, struct os_peer *out)
{
    int error = __real_os_socket_peer(fd, out);
    out->pid++; /* of some other process, as it were */
    return error;
}

/* What the kernel is said to allow: a container's filter may forbid the heavy barrier, whole or in part. */
static struct barriers {
    bool registered, heavy, own;
} barriers = {true, true, true};

bool __real_os_barrier_register(void);
bool __wrap_os_barrier_register(void);
bool __real_os_barrier_heavy(void);
bool __wrap_os_barrier_heavy(void);
bool __real_os_barrier_own_register(void);
bool __wrap_os_barrier_own_register(void);
void __real_os_barrier_own(void);
void __wrap_os_barrier_own(void);

bool __wrap_os_barrier_register(void)
{
    return barriers.registered && __real_os_barrier_register();
}

bool __wrap_os_barrier_heavy(void)
{
    return barriers.heavy && __real_os_barrier_heavy();
}

bool __wrap_os_barrier_own_register(void)
{
    return barriers.own && __real_os_barrier_own_register();
}

void __wrap_os_barrier_own(void)
{
    assert_true(barriers.own); /* who could not register has no bias that is to be revoked */
    __real_os_barrier_own();
}

/* The making of one large file, which takes until another thread has done its part, and then fails. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum { NOT_HELD, TO_BE_HELD, IS_HELD, LET_GO } state;
    bool in_time;
} making = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

int __real_os_memory_create(size_t bytes);
int __wrap_os_memory_create(size_t bytes);

int __wrap_os_memory_create(size_t bytes)
{
    struct timespec deadline;
    int error = 0;
    pthread_mutex_lock(&making.lock);
    if (bytes < 1 << 20 || making.state != TO_BE_HELD) {
        pthread_mutex_unlock(&making.lock);
        return __real_os_memory_create(bytes);
    }
    making.state = IS_HELD;
    pthread_cond_broadcast(&making.changed);
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 10;
    while (making.state == IS_HELD && error == 0)
        error = pthread_cond_timedwait(&making.changed, &making.lock, &deadline);
    making.in_time = making.state == LET_GO;
    pthread_mutex_unlock(&making.lock);
    return -ENOMEM;
}

struct both {
    char directory[64];
    mmipc_publisher *publisher;
    mmipc_subscriber *subscriber;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t next[2]; /* sequence of each publishing thread */
    long wrong, received;
    bool held;
};

/* Two streams, told apart by the lowest bit of the sequence. */
static void take(void *user, const mmipc_part *parts, size_t count)
{
    struct both *both = user;
    uint64_t sequence = 0;
    memcpy(&sequence, parts[0].data, sizeof sequence);
    pthread_mutex_lock(&both->lock);
    while (both->held)
        pthread_cond_wait(&both->changed, &both->lock);
    both->wrong += sequence / 2 != both->next[sequence % 2]++ || !pattern_holds(parts, count, sequence);
    both->received++;
    pthread_cond_broadcast(&both->changed);
    pthread_mutex_unlock(&both->lock);
}

static void hold(struct both *both, bool held)
{
    pthread_mutex_lock(&both->lock);
    both->held = held;
    pthread_cond_broadcast(&both->changed);
    pthread_mutex_unlock(&both->lock);
}

static void both_open(struct both *both, const mmipc_options *options, bool pull)
{
    memset(both, 0, sizeof *both);
    strcpy(both->directory, "/tmp/mmipc-threads-XXXXXX");
    assert_non_null(mkdtemp(both->directory));
    pthread_mutex_init(&both->lock, NULL);
    pthread_cond_init(&both->changed, NULL);
    assert_int_equal(mmipc_subscriber_open(&both->subscriber, "c", both->directory, pull ? NULL : take, both, options),
                     0);
    assert_int_equal(mmipc_publisher_open(&both->publisher, "c", both->directory, options), 0);
    assert_int_equal(mmipc_publisher_wait_connected(both->publisher, 1, 10000), 0);
}

static void both_close(struct both *both)
{
    mmipc_publisher_close(both->publisher);
    mmipc_subscriber_close(both->subscriber);
    pthread_cond_destroy(&both->changed);
    pthread_mutex_destroy(&both->lock);
    assert_int_equal(rmdir(both->directory), 0);
}

static void both_await(struct both *both, long received)
{
    assert_int_equal(mmipc_publisher_flush(both->publisher, 60000), 0);
    pthread_mutex_lock(&both->lock);
    assert_int_equal(both->wrong, 0);
    assert_int_equal(both->received, received);
    pthread_mutex_unlock(&both->lock);
}

static int publish(mmipc_publisher *publisher, uint64_t sequence, size_t size)
{
    char *data = malloc(size);
    int result;
    assert_non_null(data);
    pattern_fill(data, size, sequence);
    result = mmipc_publish(publisher, data, size);
    free(data);
    return result;
}

struct stream {
    struct both *both;
    uint64_t parity;
    long count;
};

/* Sizes on both sides of every threshold. */
static void *publish_stream(void *argument)
{
    static const size_t sizes[] = {8, 48, 49, 1000, 4096, 16383, 16384, 70000};
    const struct stream *stream = argument;
    for (long i = 0; i < stream->count; ++i)
        if (publish(stream->both->publisher, (uint64_t)i * 2 + stream->parity, sizes[(i * 7 + i / 64) % 8]) != 0)
            return (void *)1;
    return NULL;
}

static void two_streams(struct both *both, long count)
{
    struct stream streams[2] = {{both, 0, count}, {both, 1, count}};
    pthread_t threads[2];
    for (int i = 0; i < 2; ++i)
        assert_int_equal(pthread_create(&threads[i], NULL, publish_stream, &streams[i]), 0);
    for (int i = 0; i < 2; ++i) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
}

static void everything_at_once(void **state)
{
    const int spins[] = {-1, 0, 50}; /* always asleep, adaptive, awake for long */
    (void)state;
    for (size_t i = 0; i < 3; ++i) {
        struct both both;
        mmipc_options options;
        mmipc_options_init(&options, sizeof options);
        options.spin_us = spins[i];
        options.ping_interval_ms = NEVER_SILENT_MS;
        options.max_backlog_bytes = 2 << 20; /* both sides wait for each other */
        both_open(&both, &options, false);
        two_streams(&both, 1000);
        both_await(&both, 2000);
        both_close(&both);
    }
}

static void assert_fenced(struct both *both)
{
    const struct inlet *inlet;
    assert_int_equal(mmipc_subscriber_wait_connected(both->subscriber, 1, 10000), 0);
    inlet = (struct inlet *)(void *)both->subscriber->endpoint.peers;
    assert_true(inlet->fence);
    gate_enter_locked(&both->publisher->gate, false);
    assert_true(both->publisher->outlets[0]->fence);
    gate_leave_locked(&both->publisher->gate);
    assert_false(both->publisher->gate.can_bias);
}

/* Polled for, so that the next message comes just when the subscriber goes to sleep. */
static void await_reading(struct both *both)
{
    const int64_t deadline_ns = os_now_ns() + INT64_C(10000000000);
    while (mmipc_publisher_flush(both->publisher, 0) == -ETIMEDOUT)
        assert_true(os_now_ns() < deadline_ns);
}

/* Where the kernel refuses the heavy barrier the data path fences itself, and no thread gets a bias. A wake-up that is
 * lost when nothing else comes is waited for in vain. */
static void without_barriers_nothing_is_lost(void **state)
{
    (void)state;
    for (int allowed = 0; allowed < 3; ++allowed) { /* nothing, one half, the other: without both there is none */
        struct both both;
        mmipc_options options;
        barriers = (struct barriers){.registered = allowed == 1, .heavy = allowed == 2};
        mmipc_options_init(&options, sizeof options);
        options.spin_us = -1;
        options.ping_interval_ms = NEVER_SILENT_MS;
        options.max_backlog_bytes = 2 << 20;
        both_open(&both, &options, false);
        assert_fenced(&both);
        two_streams(&both, 1000);
        both_await(&both, 2000);
        for (uint64_t i = 1000; i < 6000; ++i) {
            assert_int_equal(publish(both.publisher, i * 2, 8), 0);
            await_reading(&both);
        }
        both_await(&both, 7000);
        both_close(&both);
    }
}

static void one_thread_keeps_its_bias(void **state)
{
    struct both both;
    mmipc_options options;
    struct stream stream = {&both, 0, 3000};
    (void)state;
    mmipc_options_init(&options, sizeof options);
    options.ping_interval_ms = 5; /* the control thread comes in between, again and again */
    both_open(&both, &options, false);
    assert_null(publish_stream(&stream));
    both_await(&both, 3000);
    both_close(&both);
}

static void chain_grows_and_is_followed(void **state)
{
    struct both both;
    mmipc_options options;
    (void)state;
    mmipc_options_init(&options, sizeof options);
    options.ping_interval_ms = 20;
    options.max_backlog_bytes = 16 << 20;
    for (int round = 0; round < 2; ++round) {
        both_open(&both, &options, false);
        hold(&both, true);
        for (uint64_t i = 0; i < 1500; ++i)
            assert_int_equal(publish(both.publisher, i * 2, i % 10 == 0 ? 20000 : 3000), 0);
        hold(&both, false);
        both_await(&both, 1500);
        both_close(&both);
    }
}

static void *release_one(void *message)
{
    mmipc_message_release(message);
    return NULL;
}

static void messages_are_released_elsewhere(void **state)
{
    struct both both;
    mmipc_options options;
    struct stream stream = {&both, 0, 400};
    pthread_t publishing;
    void *failed;
    (void)state;
    mmipc_options_init(&options, sizeof options);
    options.max_backlog_bytes = 1 << 20;
    options.ping_interval_ms = NEVER_SILENT_MS;
    both_open(&both, &options, true);
    assert_int_equal(pthread_create(&publishing, NULL, publish_stream, &stream), 0);
    for (uint64_t i = 0; i < 400; ++i) {
        mmipc_message *message;
        const mmipc_part *parts;
        pthread_t releasing;
        assert_int_equal(mmipc_subscriber_receive(both.subscriber, &message, 20000), 0);
        assert_int_equal(mmipc_message_parts(message, &parts), 1);
        assert_true(pattern_holds(parts, 1, i * 2));
        assert_int_equal(pthread_create(&releasing, NULL, release_one, message), 0);
        pthread_join(releasing, NULL);
    }
    pthread_join(publishing, &failed);
    assert_null(failed);
    both_close(&both);
}

static unsigned rings_of(mmipc_publisher *publisher)
{
    unsigned rings = 1;
    gate_enter_locked(&publisher->gate, false);
    for (const struct left_ring *left = publisher->outlets[0]->oldest; left != NULL; left = left->next)
        ++rings;
    gate_leave_locked(&publisher->gate);
    return rings;
}

static void *borrow(void *publisher)
{
    mmipc_loan *loan;
    void *data;
    return (void *)(intptr_t)mmipc_publish_begin(publisher, 5 << 20, &loan, &data);
}

/* To make a GiB of memory takes long: others publish meanwhile, and the limit counts it already. */
static void memory_is_made_outside_the_gate(void **state)
{
    struct both both;
    mmipc_options options;
    mmipc_loan *loan;
    pthread_t borrower;
    void *data, *result;
    (void)state;
    mmipc_options_init(&options, sizeof options);
    options.max_total_bytes = 8 << 20;
    both_open(&both, &options, false);
    making.state = TO_BE_HELD;
    assert_int_equal(pthread_create(&borrower, NULL, borrow, both.publisher), 0);
    pthread_mutex_lock(&making.lock);
    while (making.state != IS_HELD) /* the case's time-out bounds this */
        pthread_cond_wait(&making.changed, &making.lock);
    pthread_mutex_unlock(&making.lock);
    assert_int_equal(publish(both.publisher, 0, 8), 0);
    assert_int_equal(publish(both.publisher, 2, 70000), 0);
    assert_int_equal(mmipc_publish_begin(both.publisher, 5 << 20, &loan, &data), -ENOMEM);
    pthread_mutex_lock(&making.lock);
    making.state = LET_GO;
    pthread_cond_broadcast(&making.changed);
    pthread_mutex_unlock(&making.lock);
    pthread_join(borrower, &result);
    assert_true(making.in_time);
    assert_int_equal((intptr_t)result, -ENOMEM);
    both_await(&both, 2);
    assert_int_equal(mmipc_publish_begin(both.publisher, 5 << 20, &loan, &data), 0); /* what failed counts no more */
    mmipc_publish_abort(loan);
    both_close(&both);
}

/* A backlog that stays full while it is read, for several of its lengths: the chain must not become all links. */
static void full_backlog_is_passed_through(void **state)
{
    enum { BACKLOG = 1 << 20, COUNT = 4 * BACKLOG / RECORD_ALIGN };
    struct both both;
    mmipc_options options;
    uint64_t published = 0;
    (void)state;
    mmipc_options_init(&options, sizeof options);
    options.max_backlog_bytes = BACKLOG;
    options.when_full = MMIPC_WHEN_FULL_FAIL;
    both_open(&both, &options, true);
    for (uint64_t i = 0; i < COUNT; ++i) {
        mmipc_message *message;
        const mmipc_part *parts;
        while (published < COUNT && publish(both.publisher, published, 8) == 0)
            ++published;
        assert_int_equal(mmipc_subscriber_receive(both.subscriber, &message, 10000), 0);
        assert_int_equal(mmipc_message_parts(message, &parts), 1);
        assert_true(pattern_holds(parts, 1, i));
        mmipc_message_release(message);
        if (i % 64 == 0)
            assert_in_range(rings_of(both.publisher), 1, 24);
    }
    both_close(&both);
}

static void *open_and_close(void *directory)
{
    mmipc_publisher *publisher;
    if (mmipc_publisher_open(&publisher, "channel", directory, NULL) < 0)
        return NULL;
    mmipc_publisher_close(publisher);
    return directory;
}

/* The first two of a process: what is set up once, when the first endpoint opens, is set up under the other. */
static void two_are_first(void **state)
{
    char directory[] = "/tmp/mmipc-first-XXXXXX";
    pthread_t other;
    void *opened;
    (void)state;
    assert_non_null(mkdtemp(directory));
    assert_int_equal(pthread_create(&other, NULL, open_and_close, directory), 0);
    assert_non_null(open_and_close(directory));
    assert_int_equal(pthread_join(other, &opened), 0);
    assert_non_null(opened);
    assert_int_equal(rmdir(directory), 0);
}

CASES_MAIN(CASE(two_are_first), CASE(everything_at_once), CASE(without_barriers_nothing_is_lost),
           CASE(one_thread_keeps_its_bias), CASE(chain_grows_and_is_followed), CASE(messages_are_released_elsewhere),
           CASE(full_backlog_is_passed_through), CASE(memory_is_made_outside_the_gate))
