#include <cases.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "../limits/cpus.h"
#include "../limits/line.h"
#include "../limits/ring.h"

static void line_is_measured_and_affinity_kept(void **state)
{
    cpu_set_t before, after;
    double one_way_ns = -1;
    int a, b;
    (void)state;
    if (cpus_choose(&a, &b) < 2)
        exit(77); /* one CPU: there is no line between two */
    sched_getaffinity(0, sizeof before, &before);
    assert_int_equal(line_measure(a, b, &one_way_ns), 0);
    sched_getaffinity(0, sizeof after, &after);
    assert_true(CPU_EQUAL(&before, &after));
    assert_true(one_way_ns > 2 && one_way_ns < 100000);
}

static void line_needs_two_cpus_that_exist(void **state)
{
    double one_way_ns = -1;
    int a, b;
    (void)state;
    assert_true(cpus_choose(&a, &b) >= 1);
    assert_int_equal(line_measure(a, a, &one_way_ns), -EINVAL);
    assert_int_equal(line_measure(a, CPU_SETSIZE - 1, &one_way_ns), -EINVAL);
    assert_true(one_way_ns == -1);
}

static void placements_have_names(void **state)
{
    (void)state;
    assert_string_equal(line_placement(25, 32), "siblings");
    assert_string_equal(line_placement(48, 60), "cluster");
    assert_string_equal(line_placement(160, 270), "distant");
    assert_string_equal(line_placement(32, 33), "siblings");
    assert_string_equal(line_placement(39, 54), "cluster"); /* one class, without a gap */
    assert_string_equal(line_placement(33, 39), "mixed");
    assert_null(line_placement(-1, 48));
    assert_null(line_placement(48, -1));
}

struct sides {
    struct ring *producer, *consumer;
    uint64_t next, wrong;
    size_t size;
};

static void open_sides(struct sides *sides, size_t size)
{
    int fd;
    *sides = (struct sides){.size = size};
    assert_int_equal(ring_memory_create(&fd), 0);
    assert_int_equal(ring_attach(&sides->producer, fd), 0);
    assert_int_equal(ring_attach(&sides->consumer, fd), 0);
    close(fd);
}

static void close_sides(struct sides *sides)
{
    ring_detach(sides->producer);
    ring_detach(sides->consumer);
}

/* Every word of message n is n. */
static void check_message(void *context, const ipcmark_part *parts, size_t count)
{
    struct sides *sides = context;
    const uint64_t *words = parts->data;
    sides->wrong += count != 1 || parts->size != sides->size;
    for (size_t i = 0; i < parts->size / 8; ++i)
        sides->wrong += words[i] != sides->next;
    ++sides->next;
}

static int send_number(struct sides *sides, uint64_t number)
{
    uint64_t message[200];
    for (size_t i = 0; i < 200; ++i)
        message[i] = number;
    return ring_publish(sides->producer, message, sides->size);
}

/* 1600 + 16 bytes do not divide 4 MiB: records cross the end, where the second mapping continues. */
static void ring_wraps_whole(void **state)
{
    struct sides sides;
    (void)state;
    open_sides(&sides, 1600);
    assert_false(ring_receive(sides.consumer, check_message, &sides));
    for (uint64_t i = 0; i < 10000; ++i) {
        assert_int_equal(send_number(&sides, i), 0);
        assert_true(ring_receive(sides.consumer, check_message, &sides));
    }
    assert_false(ring_receive(sides.consumer, check_message, &sides));
    assert_int_equal(sides.next, 10000);
    assert_int_equal(sides.wrong, 0);
    close_sides(&sides);
}

static void full_ring_waits_and_gives_up(void **state)
{
    struct sides sides;
    uint64_t sent = 0;
    int result;
    (void)state;
    open_sides(&sides, 1600);
    while ((result = send_number(&sides, sent)) == 0)
        ++sent;
    assert_int_equal(result, -ETIMEDOUT);
    assert_int_equal(sent, RING_CAPACITY / 1664); /* 16 + 1600, up to a multiple of 64 */
    while (ring_receive(sides.consumer, check_message, &sides))
        continue;
    assert_int_equal(sides.next, sent);
    assert_int_equal(sides.wrong, 0);
    assert_int_equal(send_number(&sides, sent), 0);
    assert_true(ring_receive(sides.consumer, check_message, &sides));
    assert_int_equal(sides.wrong, 0);
    close_sides(&sides);
}

static void *consume(void *argument)
{
    struct sides *sides = argument;
    while (sides->next < 200000)
        if (!ring_receive(sides->consumer, check_message, sides))
            sched_yield();
    return NULL;
}

static void ring_carries_between_threads(void **state)
{
    struct sides sides;
    pthread_t consumer;
    (void)state;
    open_sides(&sides, 64);
    assert_int_equal(pthread_create(&consumer, NULL, consume, &sides), 0);
    for (uint64_t i = 0; i < 200000; ++i)
        assert_int_equal(send_number(&sides, i), 0);
    pthread_join(consumer, NULL);
    assert_int_equal(sides.wrong, 0);
    close_sides(&sides);
}

static void too_large_is_refused(void **state)
{
    struct sides sides;
    static unsigned char message[RING_CAPACITY];
    (void)state;
    open_sides(&sides, sizeof message);
    assert_int_equal(ring_publish(sides.producer, message, sizeof message), -EMSGSIZE);
    close_sides(&sides);
}

CASES_MAIN(CASE(line_is_measured_and_affinity_kept), CASE(line_needs_two_cpus_that_exist), CASE(placements_have_names),
           CASE(ring_wraps_whole), CASE(full_ring_waits_and_gives_up), CASE(ring_carries_between_threads),
           CASE(too_large_is_refused))
