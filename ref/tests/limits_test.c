/* How much memory a pair and a publisher may take, and what happens at the limit. */
#include "actor.h"
#include "inside.h"
#include "memory.h"

#include <errno.h>
#include <sched.h>

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
        /* each takes 128 bytes; less than a sixteenth is no reason for another ring */
        assert_in_range(published * 128, limits[i] - limits[i] / 16 - 256, limits[i] + 256);
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

/* Written once for all it would be, were there payload memory; the rings can hold it as well. */
static void rings_do_without_payload(void **state)
{
    enum { SIZE = 10000, COUNT = 4 };
    char *directory = test_directory();
    struct actor first = actor_start("subscriber", "c", directory, "pattern=1");
    struct actor second = actor_start("subscriber", "c", directory, "pattern=1");
    mmipc_publisher *publisher;
    mmipc_options options;
    (void)state;
    mmipc_options_init(&options, sizeof options);
    options.max_total_bytes = 132 << 10; /* two rings of 64 KiB, and no block */
    options.when_full = MMIPC_WHEN_FULL_FAIL;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, &options), 0);
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 2, 10000), 0);
    for (uint64_t i = 0; i < COUNT; ++i) {
        assert_int_equal(publish_patterned(publisher, i, SIZE), 0);
        assert_int_equal(mmipc_publisher_flush(publisher, 10000), 0);
    }
    assert_int_equal(publish_patterned(publisher, COUNT, 50000), -ENOMEM);
    assert_int_equal(actor_ask(&first, "expect %d", COUNT), COUNT);
    assert_int_equal(actor_ask(&second, "expect %d", COUNT), COUNT);
    mmipc_publisher_close(publisher);
    actor_end(&first);
    actor_end(&second);
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

/* To wait for room is not to wait until all has been read. */
static void waits_for_room_only(void **state)
{
    char *directory = test_directory();
    mmipc_subscriber *subscriber;
    mmipc_message *message;
    struct actor from;
    (void)state;
    assert_int_equal(mmipc_subscriber_open(&subscriber, "c", directory, NULL, NULL, NULL), 0);
    from = actor_start("publisher", "c", directory, "backlog=1000000 pattern=1");
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    actor_tell(&from, "publish 0 9000 100"); /* 1152000 bytes: it has to wait */
    for (int i = 0; i < 4000; ++i) {         /* less than half of what is there */
        assert_int_equal(mmipc_subscriber_receive(subscriber, &message, 10000), 0);
        mmipc_message_release(message);
    }
    assert_int_equal(actor_answer(&from), 0);
    mmipc_subscriber_close(subscriber);
    actor_end(&from);
    test_directory_remove(directory);
}

/* One that is stuck has used up all memory: it is dropped, and nobody else for its sake. */
static void stuck_subscriber_takes_nobody_along(void **state)
{
    char *directory = test_directory();
    struct actor stuck = actor_start("subscriber", "c", directory, "pattern=1"), good;
    mmipc_publisher *publisher;
    mmipc_options options;
    int result = 0;
    (void)state;
    mmipc_options_init(&options, sizeof options);
    options.max_total_bytes = 4 << 20;
    options.when_full = MMIPC_WHEN_FULL_DISCONNECT;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, &options), 0);
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
    actor_ask(&stuck, "hold 1");
    for (uint64_t i = 0; i < 40; ++i)
        assert_int_equal(publish_patterned(publisher, i, 70000), 0);
    good = actor_start("subscriber", "c", directory, "");
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 2, 10000), 0);
    for (uint64_t i = 0; i < 1000; ++i) {
        result = publish_patterned(publisher, i, 70000);
        assert_true(result == 0 || result == -ENOMEM);
    }
    assert_int_equal(mmipc_publisher_connections(publisher), 1); /* the good one */
    assert_int_equal(actor_ask(&good, "connections"), 1);
    actor_kill(&stuck); /* now its memory is free again */
    do
        result = publish_patterned(publisher, 0, 70000);
    while (result == -ENOMEM);
    assert_int_equal(result, 0);
    mmipc_publisher_close(publisher);
    actor_end(&good);
    test_directory_remove(directory);
}

static void *publish_three(void *publisher)
{
    static char data[1000000];
    intptr_t result = 0;
    for (int i = 0; i < 3 && result == 0; ++i)
        result = mmipc_publish(publisher, data, sizeof data);
    return (void *)result;
}

/* Memory that comes free by another's death wakes who waits for it. */
static void memory_of_the_dead_is_waited_for(void **state)
{
    char *directory = test_directory();
    struct actor gone = actor_start("subscriber", "c", directory, ""), slow;
    mmipc_publisher *publisher;
    mmipc_options options;
    pthread_t thread;
    void *result;
    (void)state;
    mmipc_options_init(&options, sizeof options);
    options.max_total_bytes = 4 << 20;
    options.max_backlog_bytes = 3 << 20;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, &options), 0);
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
    actor_ask(&gone, "hold 1");
    assert_null(publish_three(publisher));
    slow = actor_start("subscriber", "c", directory, "");
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 2, 10000), 0);
    actor_ask(&slow, "hold 1");
    assert_int_equal(pthread_create(&thread, NULL, publish_three, publisher), 0);
    while (users_of(&publisher->endpoint) == 0)
        sched_yield();
    actor_kill(&gone);
    pthread_join(thread, &result);
    assert_null(result);
    actor_ask(&slow, "hold 0");
    mmipc_publisher_close(publisher);
    actor_end(&slow);
    test_directory_remove(directory);
}

/* Small and large ones share one limit; those of dropped pairs count until they are gone. */
static void limits_are_of_all_together(void **state)
{
    char *directory = test_directory();
    struct actor to[3];
    mmipc_publisher *publisher;
    mmipc_options options;
    uint64_t unread;
    (void)state;
    for (int i = 0; i < 3; ++i)
        to[i] = actor_start("subscriber", "c", directory, "");
    mmipc_options_init(&options, sizeof options);
    options.max_backlog_bytes = 2 << 20;
    options.max_total_bytes = 8 << 20;
    options.when_full = MMIPC_WHEN_FULL_FAIL;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, &options), 0);
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 3, 10000), 0);
    for (int i = 0; i < 3; ++i)
        actor_ask(&to[i], "hold 1");
    for (uint64_t i = 0;
         publish_patterned(publisher, i, i % 2 == 0 ? 100000 : 100) == 0 || publish_patterned(publisher, i, 100) == 0;
         ++i)
        ;
    for (int i = 0; i < 3; ++i) {
        const struct outlet *outlet = publisher->outlets[i];
        unread = outlet->ring.head + outlet->owed; /* none was read */
        assert_in_range(unread, (2 << 20) - 200000, (2 << 20) + 256);
    }
    assert_true(memory_of(publisher) <= 8 << 20);
    for (int i = 0; i < 3; ++i)
        actor_ask(&to[i], "hold 0");
    mmipc_publisher_close(publisher);
    for (int i = 0; i < 3; ++i)
        actor_end(&to[i]);
    test_directory_remove(directory);
}

/* What is owed lowers the limit of the ring only as long as it is unread: who has read all is not full, though there is
 * no memory for another ring. */
static void who_has_read_all_is_not_full(void **state)
{
    char *directory = test_directory();
    struct actor to = actor_start("subscriber", "c", directory, "pattern=1");
    mmipc_publisher *publisher;
    mmipc_options options;
    const struct ring_writer *ring;
    (void)state;
    mmipc_options_init(&options, sizeof options);
    options.max_backlog_bytes = 100000;
    options.max_total_bytes = 65536 + 2 * 40960 + 20480; /* a ring, and blocks for what is published first */
    options.when_full = MMIPC_WHEN_FULL_FAIL;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, &options), 0);
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
    actor_ask(&to, "hold 1");
    assert_int_equal(publish_patterned(publisher, 0, 40000), 0);
    assert_int_equal(publish_patterned(publisher, 1, 40000), 0);
    assert_int_equal(publish_patterned(publisher, 2, 19700), 0);
    assert_int_equal(publish_patterned(publisher, 3, 1000), -EAGAIN);
    actor_ask(&to, "hold 0");
    assert_int_equal(actor_ask(&to, "expect 3"), 3);
    ring = &publisher->outlets[0]->ring;
    while (shared_load_acquire(ring->peer_tail) != ring->head)
        sched_yield();
    assert_int_equal(publish_patterned(publisher, 3, 1000), 0);
    assert_int_equal(actor_ask(&to, "expect 4"), 4);
    mmipc_publisher_close(publisher);
    actor_end(&to);
    test_directory_remove(directory);
}

/* A ring has a limit of its own from when it was made; what comes to be owed after that leaves less. */
static void older_rings_count_too(void **state)
{
    enum { IN_OLDER_RINGS = (64 + 256 + 1024) << 10, SMALL = 128 };
    char *directory = test_directory();
    struct actor to = actor_start("subscriber", "c", directory, "");
    mmipc_publisher *publisher = publisher_with(directory, 2 << 20, MMIPC_WHEN_FULL_FAIL, 0);
    const struct outlet *outlet;
    (void)state;
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
    actor_ask(&to, "hold 1");
    for (uint64_t i = 0; i < IN_OLDER_RINGS / SMALL; ++i)
        assert_int_equal(publish_patterned(publisher, i, 100), 0);
    while (publish_patterned(publisher, 0, 100000) == 0)
        ;
    while (publish_patterned(publisher, 0, 100) == 0)
        ;
    outlet = publisher->outlets[0];
    assert_non_null(outlet->oldest);
    assert_in_range(outlet->ring.head + outlet->owed, (2 << 20) - (2 << 20) / 16 - 256,
                    (2 << 20) + 256); /* none read */
    actor_ask(&to, "hold 0");
    mmipc_publisher_close(publisher);
    actor_end(&to);
    test_directory_remove(directory);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {CASE(backlog_grows_to_its_limit),
                                       CASE(large_messages_count_too),
                                       CASE(total_is_kept),
                                       CASE(rings_do_without_payload),
                                       CASE(sizes_change_under_a_tight_total),
                                       CASE(stopped_subscriber_keeps_a_whole_backlog),
                                       CASE(waits_for_room_only),
                                       CASE(stuck_subscriber_takes_nobody_along),
                                       CASE(memory_of_the_dead_is_waited_for),
                                       CASE(limits_are_of_all_together),
                                       CASE(who_has_read_all_is_not_full),
                                       CASE(older_rings_count_too)};
    actor_main(argc, argv);
    return cases_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
