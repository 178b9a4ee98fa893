/* The memory of a pair: rings that grow and shrink, payload that several pairs share, loans. */
#include "actor.h"
#include "memory.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

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

static void several_share_one_copy(void **state)
{
    enum { COUNT = 400, SIZE = 20000 };
    char *directory = test_directory();
    struct actor first = actor_start("subscriber", "c", directory, "pattern=1");
    struct actor second = actor_start("subscriber", "c", directory, "pattern=1");
    mmipc_publisher *publisher = publisher_with(directory, 0, MMIPC_WHEN_FULL_BLOCK, 0);
    (void)state;
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 2, 10000), 0);
    actor_ask(&first, "hold 1");
    actor_ask(&second, "hold 1");
    for (uint64_t i = 0; i < COUNT; ++i)
        assert_int_equal(publish_patterned(publisher, i, SIZE), 0);
    assert_in_range(memory_of(publisher), COUNT * SIZE, COUNT * SIZE * 3 / 2);
    actor_ask(&first, "hold 0");
    actor_ask(&second, "hold 0");
    assert_int_equal(actor_ask(&first, "expect %d", COUNT), COUNT);
    assert_int_equal(actor_ask(&second, "expect %d", COUNT), COUNT);
    mmipc_publisher_close(publisher);
    actor_end(&first);
    actor_end(&second);
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

/* Nor does a stream that goes on keep it all, by using it in turn. */
static void memory_is_given_back_beside_a_stream(void **state)
{
    enum { BURST = 600, SIZE = 50000, ENOUGH = 8 << 20 };
    char *directory = test_directory();
    struct actor to = actor_start("subscriber", "c", directory, "ping=50 pattern=1");
    mmipc_publisher *publisher = publisher_with(directory, 0, MMIPC_WHEN_FULL_BLOCK, 50);
    const int64_t deadline_ns = os_now_ns() + 20000000000;
    uint64_t sent = 0;
    (void)state;
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
    actor_ask(&to, "hold 1");
    for (; sent < BURST; ++sent)
        assert_int_equal(publish_patterned(publisher, sent, SIZE), 0);
    assert_true(memory_of(publisher) > (size_t)BURST * SIZE);
    actor_ask(&to, "hold 0");
    while (memory_of(publisher) > ENOUGH && is_before(deadline_ns)) {
        assert_int_equal(publish_patterned(publisher, sent++, SIZE), 0);
        assert_int_equal(mmipc_publisher_flush(publisher, 10000), 0);
    }
    assert_true(memory_of(publisher) <= ENOUGH);
    assert_int_equal(actor_ask(&to, "expect %d", (int)sent), (int)sent);
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
        assert_ptr_equal(
            outlet->debts[(outlet->debt_first + outlet->debt_count - 1) % outlet->debt_capacity].block->data, data);
    }
    actor_ask(&to, "hold 0");
    assert_int_equal(actor_ask(&to, "expect 6"), 6);
    assert_int_equal(mmipc_publish_begin(publisher, 5000, &loan, &data), 0);
    assert_int_equal(mmipc_publish_commit(loan, 5001), -EINVAL);
    mmipc_publisher_close(publisher);
    actor_end(&to);
    test_directory_remove(directory);
}

/* Pull mode: records that are no messages neither hold up a flush nor make the descriptor readable. */
static void housekeeping_is_not_noticed(void **state)
{
    char *directory = test_directory();
    mmipc_subscriber *subscriber;
    mmipc_message *message;
    mmipc_options options;
    struct pollfd polled = {.events = POLLIN};
    struct actor from;
    (void)state;
    mmipc_options_init(&options, sizeof options);
    options.ping_interval_ms = 20;
    assert_int_equal(mmipc_subscriber_open(&subscriber, "c", directory, NULL, NULL, &options), 0);
    polled.fd = mmipc_subscriber_fd(subscriber);
    from = actor_start("publisher", "c", directory, "ping=20");
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    assert_int_equal(actor_ask(&from, "publish 0 1000 1000"), 0);
    assert_int_equal(actor_ask(&from, "publish 1000 10 100000"), 0);
    for (int i = 0; i < 1010; ++i) {
        assert_int_equal(mmipc_subscriber_receive(subscriber, &message, 10000), 0);
        mmipc_message_release(message);
    }
    assert_int_equal(poll(&polled, 1, 500), 0); /* many ticks, in which it shrinks and forgets */
    assert_int_equal(actor_ask(&from, "flush 5000"), 0);
    assert_int_equal(actor_ask(&from, "publish 1010 1 8"), 0);
    assert_int_equal(poll(&polled, 1, 10000), 1);
    assert_int_equal(mmipc_subscriber_receive(subscriber, &message, 0), 0);
    mmipc_message_release(message);
    mmipc_subscriber_close(subscriber);
    actor_end(&from);
    test_directory_remove(directory);
}

/* To hold a message of a subscriber that was closed keeps nobody out. */
static void held_message_keeps_nobody_out(void **state)
{
    char *directory = test_directory();
    mmipc_subscriber *first, *second;
    mmipc_message *message;
    struct actor from;
    (void)state;
    assert_int_equal(mmipc_subscriber_open(&first, "c", directory, NULL, NULL, NULL), 0);
    from = actor_start("publisher", "c", directory, "");
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    assert_int_equal(actor_ask(&from, "publish 0 1 100000"), 0);
    assert_int_equal(mmipc_subscriber_receive(first, &message, 10000), 0);
    mmipc_subscriber_close(first);
    assert_int_equal(actor_ask(&from, "disconnected 10000"), 0);
    assert_int_equal(mmipc_subscriber_open(&second, "c", directory, NULL, NULL, NULL), 0);
    assert_int_equal(mmipc_subscriber_wait_connected(second, 1, 10000), 0);
    mmipc_message_release(message);
    mmipc_subscriber_close(second);
    actor_end(&from);
    test_directory_remove(directory);
}

static void loans_are_aligned(void **state)
{
    char *directory = test_directory();
    mmipc_publisher *publisher = publisher_with(directory, 0, MMIPC_WHEN_FULL_BLOCK, 0);
    (void)state;
    for (size_t size = 0; size < 20000; size += 997) {
        mmipc_loan *loan;
        void *data;
        assert_int_equal(mmipc_publish_begin(publisher, size, &loan, &data), 0);
        assert_int_equal((uintptr_t)data % 16, 0);
        mmipc_publish_abort(loan);
    }
    mmipc_publisher_close(publisher);
    test_directory_remove(directory);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {CASE(survives_the_publishers_death),
                                       CASE(slow_subscriber_slows_nobody),
                                       CASE(dropped_peer_keeps_its_payload),
                                       CASE(several_share_one_copy),
                                       CASE(memory_is_given_back),
                                       CASE(memory_is_given_back_beside_a_stream),
                                       CASE(held_messages_stay),
                                       CASE(loan_is_not_copied),
                                       CASE(housekeeping_is_not_noticed),
                                       CASE(held_message_keeps_nobody_out),
                                       CASE(loans_are_aligned)};
    actor_main(argc, argv);
    return cases_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
