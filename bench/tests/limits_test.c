#include <cases.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "../command/plan.h"
#include "../limits/cpus.h"
#include "../limits/line.h"
#include "../limits/purpose.h"
#include "../limits/ring.h"
#include "../rows/cell.h"

static void line_is_measured_and_affinity_kept(void **state)
{
    cpu_set_t before, after;
    double one_way_ns = -1;
    int a, b, result = -ETIME;
    (void)state;
    if (cpus_choose(&a, &b) < 2)
        exit(77); /* one CPU: there is no line between two */
    sched_getaffinity(0, sizeof before, &before);
    /* Others may keep the second CPU for so long that there is no figure: not for ever. */
    for (int attempt = 0; attempt < 50 && result == -ETIME; ++attempt)
        result = line_measure(a, b, &one_way_ns);
    assert_int_equal(result, 0);
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
    assert_int_equal(ring_memory_create(&fd, size), 0);
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
    int fd;
    (void)state;
    open_sides(&sides, 64);
    assert_int_equal(ring_publish(sides.producer, message, sizeof message), -EMSGSIZE);
    close_sides(&sides);
    assert_int_equal(ring_memory_create(&fd, (size_t)RING_MESSAGE_MOST + 1), -EMSGSIZE);
}

static void count_large(void *context, const ipcmark_part *parts, size_t count)
{
    struct sides *sides = context;
    const unsigned char *bytes = parts->data;
    sides->wrong += count != 1 || parts->size != sides->size || bytes[0] != (unsigned char)sides->next ||
                    bytes[parts->size - 1] != (unsigned char)sides->next;
    ++sides->next;
}

/* While one is read the next one can be written. */
static void ring_holds_two_large_messages(void **state)
{
    struct sides sides;
    unsigned char *message;
    (void)state;
    open_sides(&sides, 5 << 20);
    message = calloc(1, sides.size);
    assert_non_null(message);
    for (unsigned i = 0; i < 40; i += 2) {
        for (unsigned j = i; j < i + 2; ++j) {
            message[0] = message[sides.size - 1] = (unsigned char)j;
            assert_int_equal(ring_publish(sides.producer, message, sides.size), 0);
        }
        assert_true(ring_receive(sides.consumer, count_large, &sides));
        assert_true(ring_receive(sides.consumer, count_large, &sides));
        assert_false(ring_receive(sides.consumer, count_large, &sides));
    }
    assert_int_equal(sides.next, 40);
    assert_int_equal(sides.wrong, 0);
    free(message);
    close_sides(&sides);
}

static atomic_ullong taken;

static void *consume_asleep(void *argument)
{
    struct sides *sides = argument;
    while (sides->next < 5000) {
        unsigned wakes = ring_wakes(sides->consumer);
        if (!ring_receive(sides->consumer, check_message, sides))
            ring_sleep(sides->consumer, wakes);
        atomic_store_explicit(&taken, sides->next, memory_order_release);
    }
    return NULL;
}

/* Neither when it falls asleep just as the message comes, nor when it has slept for long. One that got lost would leave
 * it asleep for ever: the time-out of the case would tell. */
static void no_wake_up_is_lost(void **state)
{
    struct sides sides;
    pthread_t consumer;
    (void)state;
    open_sides(&sides, 64);
    assert_int_equal(pthread_create(&consumer, NULL, consume_asleep, &sides), 0);
    for (uint64_t i = 0; i < 5000; ++i) {
        assert_int_equal(send_number(&sides, i), 0);
        ring_wake(sides.producer);
        while (i % 4 == 0 && atomic_load_explicit(&taken, memory_order_acquire) <= i)
            sched_yield();
    }
    pthread_join(consumer, NULL);
    assert_int_equal(sides.next, 5000);
    assert_int_equal(sides.wrong, 0);
    close_sides(&sides);
}

static struct row row_of(const char *name)
{
    struct row row;
    char text[512] = "";
    if (row_parse(&row, name, text, sizeof text) < 0)
        fail_msg("%s", text);
    return row;
}

static bool includes(const char *limit, const char *name)
{
    struct row limit_row = row_of(limit), row = row_of(name);
    return purpose_includes(&limit_row, &row);
}

static void limits_are_of_their_own_size_and_rate(void **state)
{
    (void)state;
    assert_true(includes("limit/line", "hot/fifo/64B/1x1"));
    assert_true(includes("limit/line", "hot/fifo/1KiB/1x1"));
    assert_true(includes("limit/bare-ring/64B", "throughput/fifo/64B/1x1"));
    assert_false(includes("limit/bare-ring/64B", "throughput/fifo/1KiB/1x1"));
    assert_false(includes("limit/bare-ring/64B", "hot/fifo/64B/1x1"));
    assert_false(includes("limit/bare-ring/64B", "fanout/fifo/64B/1x2"));
    assert_true(includes("limit/futex/64B", "wakeup/fifo/64B/1x1"));
    assert_true(includes("limit/harness-latency/64B/r10000", "latency/fifo/64B/1x1/r10000"));
    assert_false(includes("limit/harness-latency/64B/r10000", "latency/fifo/64B/1x1/r1000"));
    assert_true(includes("limit/harness-cost/64B", "cost/fifo/64B/1x1"));
    assert_false(includes("limit/harness-cost/64B", "cost/fifo/1KiB/1x1"));
    assert_false(includes("throughput/fifo/64B/1x1", "throughput/fifo/64B/1x1"));
}

/* Whatever a driver's row does for a message its limit does, since it is the same code; what differs is the driver. */
static void limits_in_the_shape_of_drivers_have_no_code_of_their_own(void **state)
{
    unsigned shaped = 0;
    (void)state;
    for (enum row_family family = 0; family < ROW_FAMILIES; ++family) {
        const struct purpose *purpose = purpose_of(family);
        struct row limit = {.family = family}, row = {.family = purpose == NULL ? family : purpose->as};
        assert_int_equal(purpose != NULL, row_is_limit(&limit));
        if (purpose == NULL)
            continue;
        assert_int_equal(purpose->driver != NULL, row_uses_processes(&limit));
        if (purpose->driver == NULL)
            continue;
        ++shaped;
        assert_false(row_is_limit(&row));
        assert_true(purpose_includes_family(family, purpose->as));
        assert_string_equal(row_metric(&limit), row_metric(&row));
    }
    assert_true(shaped >= 8);
}

static unsigned count_limits(const struct plan *plan, enum row_family limit, const struct row *row)
{
    unsigned count = 0;
    for (size_t i = 0; i < plan->count; ++i)
        count += plan->rows[i].family == limit && purpose_includes(&plan->rows[i], row);
    return count;
}

static unsigned count_limited(const struct plan *plan, const struct row *limit)
{
    unsigned count = 0;
    for (size_t i = 0; i < plan->count; ++i)
        count += purpose_includes(limit, &plan->rows[i]);
    return count;
}

/* So that a chart never has to guess a limit between two sizes; and none is measured that is of nothing. */
static void check_plan(unsigned suites)
{
    struct options options = {.drivers = {"fifo", "./my.so"}, .driver_count = 2, .suites = suites};
    struct plan plan;
    assert_int_equal(plan_make(&plan, &options), 0);
    for (size_t i = 0; i < plan.count; ++i) {
        const struct row *row = &plan.rows[i];
        if (row_is_limit(row) && count_limited(&plan, row) == 0)
            fail_msg("%s is the limit of no row", row->name);
        if (row_is_limit(row) || row->publishers != 1 || row->subscribers != 1)
            continue;
        for (enum row_family limit = 0; limit < ROW_FAMILIES; ++limit)
            if (purpose_includes_family(limit, row->family) && count_limits(&plan, limit, row) != 1)
                fail_msg("%s has %u limits of the kind %d", row->name, count_limits(&plan, limit, row), (int)limit);
    }
    plan_free(&plan);
}

static void every_row_has_its_limits(void **state)
{
    (void)state;
    check_plan(SUITE_QUICK);
    check_plan(SUITE_STANDARD);
    check_plan(SUITE_FULL);
    check_plan(SUITE_TARGETS);
}

static void cells_say_what_they_limit(void **state)
{
    struct row rows[] = {row_of("limit/bare-ring/64B"), row_of("limit/pipe/64B"), row_of("limit/line"),
                         row_of("limit/harness-hot/64B"), row_of("hot/fifo/64B/1x1")};
    static const char *const expected[] = {"[\"throughput\",\"size\"]", "[\"wakeup\"]", "[\"hot\"]", "[\"hot\"]", NULL};
    static const char *const kinds[] = {"reference", "reference", "bound", "share", NULL};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        struct cell cell;
        cJSON *record;
        char *text;
        cell_init(&cell, &rows[i], 0);
        record = cell_to_json(&cell);
        if (expected[i] == NULL) {
            assert_false(cJSON_HasObjectItem(record, "limit_of"));
        } else {
            text = cJSON_PrintUnformatted(cJSON_GetObjectItem(record, "limit_of"));
            assert_string_equal(text, expected[i]);
            assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(record, "limit_kind")), kinds[i]);
            cJSON_free(text);
        }
        cJSON_Delete(record);
        cell_release(&cell);
    }
}

CASES_MAIN(CASE(line_is_measured_and_affinity_kept), CASE(line_needs_two_cpus_that_exist), CASE(placements_have_names),
           CASE(ring_wraps_whole), CASE(full_ring_waits_and_gives_up), CASE(ring_carries_between_threads),
           CASE(too_large_is_refused), CASE(ring_holds_two_large_messages), CASE(no_wake_up_is_lost),
           CASE(limits_are_of_their_own_size_and_rate), CASE(limits_in_the_shape_of_drivers_have_no_code_of_their_own),
           CASE(every_row_has_its_limits), CASE(cells_say_what_they_limit))
