/* The driver that is slowed on purpose, by a clock of the test's own: a look at it takes some time, and nothing else
 * takes any but what the case says. */
#include "cases.h"

#include <math.h>
#include <time.h>

static int slowed_clock(clockid_t clock, struct timespec *out);

#define clock_gettime slowed_clock
#include "../slowed/slowed.c" /* itself: what it knows of its process is forgotten between cases */
#undef clock_gettime

enum { LOOK_NS = 25, MESSAGES = 10000 };

static int64_t clock_ns, publish_ns;

static int slowed_clock(clockid_t clock, struct timespec *out)
{
    (void)clock;
    *out = (struct timespec){.tv_sec = clock_ns / 1000000000, .tv_nsec = clock_ns % 1000000000};
    clock_ns += LOOK_NS;
    return 0;
}

/* ---- what it wraps ------------------------------------------------------------------------------------------- */

static ipcmark_deliver_fn *arrive;
static void *arrive_at;

static int inner_publish(void *object, const ipcmark_part *parts, size_t count)
{
    (void)object;
    (void)parts;
    (void)count;
    clock_ns += publish_ns;
    return 0;
}

static int inner_open(void **out, const ipcmark_endpoint *options)
{
    (void)options;
    *out = &clock_ns;
    return 0;
}

static int inner_subscribe(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *to, void *context)
{
    arrive = to;
    arrive_at = context;
    return inner_open(out, options);
}

static void inner_close(void *object)
{
    (void)object;
}

const ipcmark_driver *slowed_inner(void)
{
    static const ipcmark_driver plain = {.publisher_open = inner_open,
                                         .publish = inner_publish,
                                         .publisher_close = inner_close,
                                         .subscriber_open = inner_subscribe,
                                         .subscriber_close = inner_close};
    return &plain;
}

/* ---- a side of it -------------------------------------------------------------------------------------------- */

struct side {
    const ipcmark_driver *driver;
    void *publisher, *subscriber;
    bool answers;
    int64_t published_ns; /* when the last publish ended */
};

static void handle(void *context, const ipcmark_part *parts, size_t count)
{
    struct side *side = context;
    if (!side->answers)
        return;
    side->driver->publish(side->publisher, parts, count);
    side->published_ns = clock_ns;
}

static void side_open(struct side *side, bool slow, bool answers)
{
    static const char *const quarter[] = {"percent=25", NULL}, *const nothing[] = {"percent=0", NULL};
    const ipcmark_endpoint options = {.params = slow ? quarter : nothing};

    atomic_store(&asks, false);
    atomic_store(&to_and_fro, false);
    *side = (struct side){.driver = ipcmark_driver_get(), .answers = answers};
    assert_int_equal(side->driver->publisher_open(&side->publisher, &options), 0);
    assert_int_equal(side->driver->subscriber_open(&side->subscriber, &options, handle, side), 0);
    clock_ns += 1000000000;
}

static void side_close(struct side *side)
{
    side->driver->publisher_close(side->publisher);
    side->driver->subscriber_close(side->subscriber);
}

static bool is_near(double value, double expected, double share)
{
    return fabs(value / expected - 1) <= share;
}

/* What so many messages take, of which each takes the driver so long. */
static double published(bool slow, int64_t each_ns)
{
    struct side side;
    side_open(&side, slow, false);
    publish_ns = each_ns;
    const int64_t begun_ns = clock_ns;
    for (int i = 0; i < MESSAGES; ++i)
        side.driver->publish(side.publisher, NULL, 0);
    side_close(&side);
    return (double)(clock_ns - begun_ns);
}

static double received(bool slow, int64_t each_ns)
{
    struct side side;
    side_open(&side, slow, false);
    const int64_t begun_ns = clock_ns;
    for (int i = 0; i < MESSAGES; ++i) {
        clock_ns += each_ns;
        arrive(arrive_at, NULL, 0);
    }
    side_close(&side);
    return (double)(clock_ns - begun_ns);
}

/* Trips: `usual`, and each hundredth `slow_one`. Out: what each took, from publish to publish. */
static void trips(double *took, bool slow, bool first, int64_t usual, int64_t slow_one)
{
    struct side side;
    side_open(&side, slow, true);
    publish_ns = 10;
    if (first)
        side.driver->publish(side.publisher, NULL, 0);
    side.published_ns = clock_ns;
    for (int i = 0; i < MESSAGES; ++i) {
        const int64_t begun_ns = side.published_ns;
        clock_ns += i % 100 == 99 ? slow_one : usual;
        arrive(arrive_at, NULL, 0);
        took[i] = (double)(side.published_ns - begun_ns);
    }
    side_close(&side);
}

/* ---- cases --------------------------------------------------------------------------------------------------- */

static void who_only_answers_adds_nothing(void **state)
{
    static double slow[MESSAGES], plain[MESSAGES];
    (void)state;
    trips(slow, true, false, 200, 5000);
    trips(plain, false, false, 200, 5000);
    for (int i = 1; i < MESSAGES; ++i) /* what the first message is one of, nobody knows yet */
        assert_true(slow[i] - plain[i] < 1);
}

/* At each pace of the machine, from siblings to distant CPUs, and beside a clock that is coarse. */
static void a_stream_takes_a_quarter_longer(void **state)
{
    static const int64_t paces[] = {20, 40, 85, 150, 270, 1000, 20000};
    (void)state;
    for (size_t i = 0; i < sizeof paces / sizeof paces[0]; ++i) {
        assert_true(is_near(published(true, paces[i]), 1.25 * published(false, paces[i]), 0.01));
        assert_true(is_near(received(true, paces[i]), 1.25 * received(false, paces[i]), 0.01));
    }
}

/* Each by itself, so that a slow one is a quarter slower as well: of p99 as of p50. */
static void each_trip_takes_a_quarter_longer(void **state)
{
    static const int64_t paces[] = {64, 100, 200, 600, 2000};
    static double slow[MESSAGES], plain[MESSAGES];
    (void)state;
    for (size_t pace = 0; pace < sizeof paces / sizeof paces[0]; ++pace) {
        double slow_sum = 0, plain_sum = 0;
        trips(slow, true, true, paces[pace], 20 * paces[pace]);
        trips(plain, false, true, paces[pace], 20 * paces[pace]);
        for (int i = 1; i < MESSAGES; ++i) {
            assert_true(fabs(slow[i] - 1.25 * plain[i]) <= 2 * LOOK_NS);
            slow_sum += slow[i];
            plain_sum += plain[i];
        }
        assert_true(is_near(slow_sum, 1.25 * plain_sum, 0.01));
    }
}

static void a_pause_is_no_work(void **state)
{
    struct side side;
    (void)state;
    side_open(&side, true, false);
    publish_ns = 100;
    side.driver->publish(side.publisher, NULL, 0);
    clock_ns += 25000000;
    const int64_t begun_ns = clock_ns;
    side.driver->publish(side.publisher, NULL, 0);
    assert_true(clock_ns - begun_ns <= publish_ns + LOOK_NS);
    side_close(&side);
}

CASES_MAIN(CASE(who_only_answers_adds_nothing), CASE(a_stream_takes_a_quarter_longer),
           CASE(each_trip_takes_a_quarter_longer), CASE(a_pause_is_no_work))
