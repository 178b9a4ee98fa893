/* The memory of a pair: rings that grow and shrink, payload that several pairs share, loans. */
#include "actor.h"
#include "cases.h"
#include "pattern.h"
#include "publisher.h"
#include "receiver.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

static mmipc_publisher *publisher_with(const char *directory, size_t max_backlog, int when_full, unsigned ping_ms)
{
    mmipc_publisher *publisher;
    mmipc_options options;
    mmipc_options_init(&options, sizeof options);
    options.max_backlog_bytes = max_backlog;
    options.when_full = when_full;
    options.ping_interval_ms = ping_ms;
    options.on_log = receiver_log;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, &options), 0);
    return publisher;
}

static int publish_patterned(mmipc_publisher *publisher, uint64_t sequence, size_t size)
{
    static char data[1 << 20];
    pattern_fill(data, size, sequence);
    return mmipc_publish(publisher, data, size);
}

/* What the publisher holds, all pairs together; the first rings count too. */
static size_t memory_of(mmipc_publisher *publisher)
{
    size_t bytes;
    gate_enter_locked(&publisher->gate, false);
    bytes = publisher->ring_bytes + publisher->pool.bytes;
    gate_leave_locked(&publisher->gate);
    return bytes;
}

/* How many of our memory files a process maps. */
static int mappings_of(pid_t pid)
{
    char path[64], line[512];
    int count = 0;
    FILE *maps;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    maps = fopen(path, "re");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps) != NULL)
        count += strstr(line, "memfd:mmipc") != NULL;
    fclose(maps);
    return count;
}

static bool is_before(int64_t deadline_ns)
{
    return os_now_ns() < deadline_ns;
}

/* Small messages to a subscriber that takes none: the chain grows up to the limit, and nothing of it is lost. */
static void backlog_grows_to_its_limit(void **state)
{
    const size_t limits[] = {4096, 100000, 1 << 20, 8 << 20};
    (void)state;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; ++i) {
        char *directory = test_directory();
        struct actor to = actor_start("subscriber", "c", directory, "pattern=1");
        mmipc_publisher *publisher = publisher_with(directory, limits[i], MMIPC_WHEN_FULL_FAIL, 0);
        long published = 0;
        assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
        actor_ask(&to, "hold 1");
        while (publish_patterned(publisher, (uint64_t)published, 100) == 0)
            ++published;
        /* each takes 128 bytes; what is left may be too little for another ring */
        assert_in_range(published * 128, limits[i] - (limits[i] < 20000 ? 256 : 20000), limits[i] + 256);
        assert_int_equal(publish_patterned(publisher, 0, 100), -EAGAIN);
        actor_ask(&to, "hold 0");
        assert_int_equal(actor_ask(&to, "expect %ld", published), published);
        assert_int_equal(mmipc_publisher_flush(publisher, 10000), 0);
        assert_int_equal(publish_patterned(publisher, (uint64_t)published, 100), 0);
        mmipc_publisher_close(publisher);
        assert_int_equal(actor_ask(&to, "expect %ld", published + 1), published + 1);
        actor_end(&to);
        test_directory_remove(directory);
    }
}

static void large_messages_count_too(void **state)
{
    char *directory = test_directory();
    struct actor to = actor_start("subscriber", "c", directory, "pattern=1");
    mmipc_publisher *publisher = publisher_with(directory, 1 << 20, MMIPC_WHEN_FULL_FAIL, 0);
    long published = 0;
    (void)state;
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
    actor_ask(&to, "hold 1");
    assert_int_equal(publish_patterned(publisher, 0, (1 << 20) - 1), 0);
    assert_int_equal(publish_patterned(publisher, 1, 40000), -EAGAIN);
    actor_ask(&to, "hold 0");
    assert_int_equal(mmipc_publisher_flush(publisher, 10000), 0);
    actor_ask(&to, "hold 1");
    for (published = 1; publish_patterned(publisher, (uint64_t)published, 40000) == 0;)
        ++published;
    assert_int_equal(published - 1, (1 << 20) / 40064);
    actor_ask(&to, "hold 0");
    assert_int_equal(actor_ask(&to, "expect %ld", published), published);
    assert_int_equal(mmipc_publisher_flush(publisher, 10000), 0);
    assert_int_equal(publish_patterned(publisher, (uint64_t)published, 1 << 20), 0); /* as large as the limit */
    assert_int_equal(actor_ask(&to, "expect %ld", published + 1), published + 1);
    mmipc_publisher_close(publisher);
    actor_end(&to);
    test_directory_remove(directory);
}

/* Published is published: the chain, and the payload that it refers to, outlive the publisher. */
static void survives_the_publishers_death(void **state)
{
    static const struct {
        long count, size;
    } streams[] = {{50000, 100}, {3000, 9000}, {300, 100000}, {3, 20000000}};
    (void)state;
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; ++i) {
        char *directory = test_directory();
        struct actor to = actor_start("subscriber", "c", directory, "pattern=1");
        struct actor from = actor_start("publisher", "c", directory, "pattern=1");
        assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
        actor_ask(&to, "hold 1");
        actor_tell(&from, "die_after 0 %ld %ld", streams[i].count, streams[i].size);
        assert_int_equal(actor_answer(&from), -ECHILD);
        actor_kill(&from);
        actor_ask(&to, "hold 0");
        assert_int_equal(actor_ask(&to, "expect %ld", streams[i].count), streams[i].count);
        actor_end(&to);
        test_directory_remove(directory);
    }
}

static void slow_subscriber_slows_nobody(void **state)
{
    enum { COUNT = 600 };
    char *directory = test_directory();
    struct actor quick = actor_start("subscriber", "c", directory, "pattern=1");
    struct actor slow = actor_start("subscriber", "c", directory, "pattern=1");
    mmipc_publisher *publisher = publisher_with(directory, 0, MMIPC_WHEN_FULL_BLOCK, 0);
    (void)state;
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 2, 10000), 0);
    actor_ask(&slow, "hold 1");
    for (uint64_t i = 0; i < COUNT; ++i) /* 40 MB, some of it inline, most of it shared */
        assert_int_equal(publish_patterned(publisher, i, i % 3 == 0 ? 3000 : 100000), 0);
    assert_int_equal(actor_ask(&quick, "expect %d", COUNT), COUNT);
    actor_ask(&slow, "hold 0");
    assert_int_equal(actor_ask(&slow, "expect %d", COUNT), COUNT);
    mmipc_publisher_close(publisher);
    actor_end(&quick);
    actor_end(&slow);
    test_directory_remove(directory);
}

/* Dropped because it was full, it reads on in what is being used for others now, unless that was kept for it. */
static void dropped_peer_keeps_its_payload(void **state)
{
    enum { SIZE = 50000, KEPT = (1 << 20) / (SIZE + 64) };
    char *directory = test_directory();
    struct actor slow = actor_start("subscriber", "c", directory, "pattern=1"), quick;
    mmipc_publisher *publisher = publisher_with(directory, 1 << 20, MMIPC_WHEN_FULL_DISCONNECT, 0);
    (void)state;
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
    actor_ask(&slow, "hold 1");
    for (uint64_t i = 0; i <= KEPT; ++i)
        assert_int_equal(publish_patterned(publisher, i, SIZE), 0);
    assert_int_equal(mmipc_publisher_wait_disconnected(publisher, 10000), 0);
    quick = actor_start("subscriber", "c", directory, "pattern=1");
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
    for (uint64_t i = 0; i < 200; ++i) {
        assert_int_equal(publish_patterned(publisher, i, SIZE), 0);
        assert_int_equal(mmipc_publisher_flush(publisher, 10000), 0);
    }
    assert_int_equal(actor_ask(&quick, "expect 200"), 200);
    assert_int_equal(mmipc_publisher_connections(publisher), 1); /* not again before it has let go of the old */
    actor_ask(&slow, "hold 0");
    assert_int_equal(actor_ask(&slow, "expect %d", KEPT), KEPT);
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 2, 10000), 0);
    mmipc_publisher_close(publisher);
    actor_end(&slow);
    actor_end(&quick);
    test_directory_remove(directory);
}

/* After a burst both sides give its memory back. */
static void memory_is_given_back(void **state)
{
    char *directory = test_directory();
    struct actor to = actor_start("subscriber", "c", directory, "ping=50 pattern=1");
    mmipc_publisher *publisher = publisher_with(directory, 0, MMIPC_WHEN_FULL_BLOCK, 50);
    const int64_t deadline_ns = os_now_ns() + 20000000000;
    size_t before;
    int mapped;
    (void)state;
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
    before = memory_of(publisher);
    mapped = mappings_of(to.pid);
    actor_ask(&to, "hold 1");
    for (uint64_t i = 0; i < 20000; ++i)
        assert_int_equal(publish_patterned(publisher, i, i % 100 == 0 ? 50000 : 1000), 0);
    assert_true(memory_of(publisher) > 20 << 20);
    actor_ask(&to, "hold 0");
    assert_int_equal(actor_ask(&to, "expect 20000"), 20000);
    while (memory_of(publisher) > before && is_before(deadline_ns))
        sched_yield();
    assert_int_equal(memory_of(publisher), before);
    while (mappings_of(to.pid) > mapped && is_before(deadline_ns))
        sched_yield();
    assert_int_equal(mappings_of(to.pid), mapped);
    assert_int_equal(mmipc_publisher_flush(publisher, 10000), 0);
    for (uint64_t i = 20000; i < 20100; ++i) /* and again */
        assert_int_equal(publish_patterned(publisher, i, i % 2 == 0 ? 50000 : 1000), 0);
    assert_int_equal(actor_ask(&to, "expect 20100"), 20100);
    mmipc_publisher_close(publisher);
    actor_end(&to);
    test_directory_remove(directory);
}

/* Pull mode: messages that are held stay as they are while rings and files come and go around them. */
static void held_messages_stay(void **state)
{
    enum { COUNT = 2000, STEP = 50 };
    char *directory = test_directory();
    mmipc_message *held[COUNT / STEP], *message;
    mmipc_subscriber *subscriber;
    const mmipc_part *parts;
    mmipc_options options;
    struct actor from;
    (void)state;
    mmipc_options_init(&options, sizeof options);
    options.ping_interval_ms = 50;
    assert_int_equal(mmipc_subscriber_open(&subscriber, "c", directory, NULL, NULL, &options), 0);
    from = actor_start("publisher", "c", directory, "pattern=1 ping=50");
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    for (int i = 0; i < COUNT; i += STEP)
        assert_int_equal(actor_ask(&from, "publish %d %d %d", i, STEP, i % (3 * STEP) == 0 ? 60000 : 2000), 0);
    for (int i = 0; i < COUNT; ++i) {
        assert_int_equal(mmipc_subscriber_receive(subscriber, &message, 10000), 0);
        assert_int_equal(mmipc_message_parts(message, &parts), 1);
        assert_true(pattern_holds(parts, 1, (uint64_t)i));
        if (i % STEP == 0)
            held[i / STEP] = message;
        else
            mmipc_message_release(message);
    }
    actor_tell(&from, "flush 20000");
    for (int i = 0; i < COUNT / STEP; ++i) { /* the tail follows; what comes after it must stay */
        for (int later = i; later < COUNT / STEP; ++later) {
            mmipc_message_parts(held[later], &parts);
            assert_true(pattern_holds(parts, 1, (uint64_t)later * STEP));
        }
        if (i == COUNT / STEP - 2)
            mmipc_subscriber_close(subscriber); /* the last ones outlive it */
        mmipc_message_release(held[i]);
    }
    actor_answer(&from); /* of the flush: the peer is gone, or has read all */
    actor_end(&from);
    test_directory_remove(directory);
}

static void loan_is_not_copied(void **state)
{
    char *directory = test_directory();
    struct actor to = actor_start("subscriber", "c", directory, "pattern=1");
    mmipc_publisher *publisher = publisher_with(directory, 0, MMIPC_WHEN_FULL_BLOCK, 0);
    const size_t sizes[] = {5000, 100000, 3000000};
    mmipc_loan *loan, *other;
    void *data, *more;
    (void)state;
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
    actor_ask(&to, "hold 1");
    for (uint64_t i = 0; i < 3; ++i) {
        const struct outlet *outlet = publisher->outlets[0];
        assert_int_equal(mmipc_publish_begin(publisher, sizes[i], &loan, &data), 0);
        assert_int_equal(mmipc_publish_begin(publisher, sizes[i], &other, &more), 0);
        pattern_fill(data, sizes[i], 2 * i);
        memset(more, 0xff, sizes[i]);
        assert_int_equal(mmipc_publish_commit(loan, sizes[i] - i), 0);
        assert_int_equal(publish_patterned(publisher, 2 * i + 1, 1000), 0); /* nothing waits for the other loan */
        mmipc_publish_abort(other);
        /* white box: the record refers to the very memory that was lent */
        assert_ptr_equal(outlet->debts[(outlet->debt_first + outlet->debt_count - 1) % outlet->debt_capacity].block->data,
                         data);
    }
    actor_ask(&to, "hold 0");
    assert_int_equal(actor_ask(&to, "expect 6"), 6);
    assert_int_equal(mmipc_publish_begin(publisher, 5000, &loan, &data), 0);
    assert_int_equal(mmipc_publish_commit(loan, 5001), -EINVAL);
    mmipc_publisher_close(publisher);
    actor_end(&to);
    test_directory_remove(directory);
}

/* All pairs together: who is the last to ask gets none, and when others have read, it does. */
static void total_is_kept(void **state)
{
    char *directory = test_directory();
    struct actor to = actor_start("subscriber", "c", directory, "pattern=1");
    mmipc_publisher *publisher;
    mmipc_options options;
    long published = 0, small = 0;
    (void)state;
    mmipc_options_init(&options, sizeof options);
    options.max_total_bytes = 3 << 20;
    options.when_full = MMIPC_WHEN_FULL_FAIL;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, &options), 0);
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
    actor_ask(&to, "hold 1");
    while (publish_patterned(publisher, (uint64_t)published, published % 2 == 0 ? 100 : 50000) == 0)
        ++published;
    assert_true(memory_of(publisher) <= 3 << 20);
    assert_in_range(published, 60, 120);
    actor_ask(&to, "hold 0");
    assert_int_equal(actor_ask(&to, "expect %ld", published), published);
    assert_int_equal(mmipc_publisher_flush(publisher, 10000), 0);
    assert_int_equal(publish_patterned(publisher, (uint64_t)published, 50000), 0);
    ++published;
    assert_int_equal(actor_ask(&to, "expect %ld", published), published);
    actor_ask(&to, "hold 1");
    while (publish_patterned(publisher, (uint64_t)(published + small), 100) == 0) /* rings alone */
        ++small;
    assert_true(memory_of(publisher) <= 3 << 20);
    actor_ask(&to, "hold 0");
    assert_int_equal(actor_ask(&to, "expect %ld", published + small), published + small);
    mmipc_publisher_close(publisher);
    actor_end(&to);
    test_directory_remove(directory);
}

/* Free blocks of one size are in the way of another. */
static void sizes_change_under_a_tight_total(void **state)
{
    char *directory = test_directory();
    struct actor to = actor_start("subscriber", "c", directory, "pattern=1");
    mmipc_publisher *publisher;
    mmipc_options options;
    (void)state;
    mmipc_options_init(&options, sizeof options);
    options.max_total_bytes = 3 << 20;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, &options), 0);
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
    for (uint64_t i = 0; i < 200; ++i)
        assert_int_equal(publish_patterned(publisher, i, 20000 + i * 5000), 0);
    assert_int_equal(actor_ask(&to, "expect 200"), 200);
    assert_true(memory_of(publisher) <= 3 << 20);
    mmipc_publisher_close(publisher);
    actor_end(&to);
    test_directory_remove(directory);
}

/* A stopped subscriber's letters pile up in its socket; they must suffice for the whole backlog. */
static void stopped_subscriber_keeps_a_whole_backlog(void **state)
{
    enum { COUNT = 200 << 20 >> 14 };
    char *directory = test_directory();
    struct actor to = actor_start("subscriber", "c", directory, "pattern=1");
    mmipc_publisher *publisher = publisher_with(directory, 0, MMIPC_WHEN_FULL_FAIL, 0);
    (void)state;
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
    actor_stop(&to);
    for (uint64_t i = 0; i < COUNT; ++i)
        assert_int_equal(publish_patterned(publisher, i, 16384), 0);
    actor_continue(&to);
    assert_int_equal(actor_ask(&to, "expect %d", COUNT), COUNT);
    mmipc_publisher_close(publisher);
    actor_end(&to);
    test_directory_remove(directory);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {CASE(backlog_grows_to_its_limit),
                                       CASE(large_messages_count_too),
                                       CASE(survives_the_publishers_death),
                                       CASE(slow_subscriber_slows_nobody),
                                       CASE(dropped_peer_keeps_its_payload),
                                       CASE(memory_is_given_back),
                                       CASE(held_messages_stay),
                                       CASE(loan_is_not_copied),
                                       CASE(total_is_kept),
                                       CASE(sizes_change_under_a_tight_total),
                                       CASE(stopped_subscriber_keeps_a_whole_backlog)};
    actor_main(argc, argv);
    return cases_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
