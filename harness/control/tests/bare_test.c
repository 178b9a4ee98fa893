/* What benchmarks ask about opening, having, closing and losing endpoints; and schedules without messages. */
#include "stage.h"

#include "ipcmark/histogram.h"

static ipcmark_participant *start(bool journal)
{
    const ipcmark_participant_options options = {.flip_journal = !journal};
    ipcmark_participant *participant = ipcmark_participant_start(trial, &options);
    if (participant == NULL)
        fail_msg("%s", ipcmark_session_text(session));
    return participant;
}

static void must_be_refused(ipcmark_call *call, const char *code)
{
    assert_int_equal(ipcmark_await(call), IPCMARK_REFUSED);
    assert_string_equal(call->code, code);
}

static uint64_t total_of(const ipcmark_call *call, const char *name)
{
    struct ipcmark_histogram *histogram;
    assert_int_equal(ipcmark_histogram_new(&histogram), 0);
    assert_int_equal(ipcmark_histogram_add_json(histogram, cJSON_GetObjectItem(call->reply, name)), 0);
    uint64_t total = histogram->total;
    ipcmark_histogram_free(histogram);
    return total;
}

static void cycles_are_of_the_one_who_is_sent_to(void **state)
{
    ipcmark_publish_options endless = {.seconds = 600, .rate = 2000};
    ipcmark_cycle_options options = {.count = 5, .seconds = 60};
    uint16_t publisher;
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    ipcmark_participant *source = start(false), *sink = start(false);
    stage_done(ipcmark_open_publisher(source, &publisher, NULL));
    ipcmark_call *publishing = ipcmark_publish(trial, publisher, &endless), *cycled = ipcmark_cycle(sink, &options);
    stage_done(cycled);
    assert_int_equal(ipcmark_reply_count(cycled, "count"), 5);
    assert_true(ipcmark_reply_count(cycled, "elapsed_ns") > 0);
    assert_int_equal(total_of(cycled, "open"), 5);
    assert_int_equal(total_of(cycled, "first"), 5);
    assert_int_equal(total_of(cycled, "close"), 5);
    stage_done(ipcmark_close(trial, publisher));
    stage_done(publishing);
    stage_no_troubles();
    stage_close();
}

static void hold(ipcmark_participant *source, ipcmark_participant *sink, unsigned first, unsigned count)
{
    ipcmark_hold_options options = {.channel = "c", .first = first, .count = count, .messages = 4, .size = 48};
    ipcmark_call *subscribers = ipcmark_hold(sink, &options);
    options.publishers = true;
    ipcmark_call *publishers = ipcmark_hold(source, &options);
    stage_done(publishers);
    stage_done(subscribers);
    assert_int_equal(ipcmark_reply_count(subscribers, "count"), count);
}

static double descriptors_of(ipcmark_participant *participant)
{
    ipcmark_call *call = ipcmark_footprint_of(participant);
    stage_done(call);
    assert_true(ipcmark_reply_number(call, "private_bytes", 0) > 0);
    return ipcmark_reply_number(call, "descriptors", -1);
}

/* This driver's subscribers have a descriptor each. */
static void what_is_held_is_there_until_the_end(void **state)
{
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    ipcmark_participant *source = start(false), *sink = start(false);
    hold(source, sink, 1, 1);
    double before = descriptors_of(sink);
    hold(source, sink, 2, 3);
    assert_true(descriptors_of(sink) - before == 3);
    stage_no_troubles();
    stage_close();
}

static void what_cannot_be_is_refused(void **state)
{
    ipcmark_hold_options small = {.channel = "c", .first = 1, .count = 1, .messages = 1, .size = 47},
                         none = {.channel = "c", .first = 1, .messages = 1, .size = 48};
    ipcmark_cycle_options cycle = {.count = 1, .seconds = 1};
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    ipcmark_participant *participant = start(false);
    must_be_refused(ipcmark_hold(participant, &small), "EINVAL");
    must_be_refused(ipcmark_hold(participant, &none), "EINVAL");
    must_be_refused(ipcmark_cycle(start(true), &cycle), "EINVAL"); /* nobody would write it down */
    stage_no_troubles();
    stage_close();
}

/* This driver never tells. */
static void who_is_not_told_does_not_wait_for_ever(void **state)
{
    uint16_t publisher;
    (void)state;
    stage_deadline_seconds = 0.3;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    stage_done(ipcmark_open_publisher(start(false), &publisher, NULL));
    must_be_refused(ipcmark_wait_gone(trial, publisher, 2, 1), "ETIMEDOUT");
    stage_no_troubles();
    stage_close();
}

static uint16_t start_subscriber(ipcmark_participant **participant)
{
    uint16_t subscriber;
    *participant = start(false);
    stage_done(ipcmark_open_subscriber(*participant, &subscriber, NULL));
    return subscriber;
}

static uint64_t kill_and_be_told(ipcmark_participant *victim, uint16_t publisher, uint16_t subscriber)
{
    const uint64_t killed_ns = ipcmark_now_ns();
    assert_int_equal(ipcmark_kill(victim), 0);
    ipcmark_call *gone = ipcmark_wait_gone(trial, publisher, subscriber, killed_ns);
    stage_done(gone);
    assert_int_equal(ipcmark_await_exit(victim, NULL), 0);
    return ipcmark_reply_count(gone, "at_ns");
}

/* And not of that of another one, later. */
static void first_notice_of_a_peer_counts(void **state)
{
    const uint64_t start_ns = ipcmark_now_ns();
    ipcmark_participant *first, *second;
    uint16_t publisher, first_id, second_id;
    (void)state;
    stage_open(IPCMARK_TEST_FIFO, NULL);
    stage_done(ipcmark_open_publisher(start(false), &publisher, NULL));
    first_id = start_subscriber(&first);
    second_id = start_subscriber(&second);
    stage_done(ipcmark_wait_peers(trial, publisher, 2, 0));
    uint64_t first_ns = kill_and_be_told(first, publisher, first_id);
    assert_true(kill_and_be_told(second, publisher, second_id) > first_ns);
    ipcmark_call *again = ipcmark_wait_gone(trial, publisher, first_id, start_ns);
    stage_done(again);
    assert_true(ipcmark_reply_count(again, "at_ns") == first_ns);
    stage_no_troubles();
    stage_close();
}

static void dry_schedule_sends_nothing(void **state)
{
    ipcmark_publish_options options = {.seconds = 0.2, .rate = 100, .sleeps = true, .dry = true};
    uint16_t publisher;
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    stage_done(ipcmark_open_publisher(start(false), &publisher, NULL));
    ipcmark_call *dry = ipcmark_publish(trial, publisher, &options);
    stage_done(dry);
    assert_int_equal(ipcmark_reply_count(dry, "attempted"), 0);
    assert_true(ipcmark_reply_count(dry, "last_ns") - ipcmark_reply_count(dry, "first_ns") >= 190000000);
    assert_true(ipcmark_reply_number(dry, "sleeps", 0) >= 1);
    assert_true(ipcmark_reply_number(dry, "cpu_ns", 0) > 0);
    options.dry = false;
    ipcmark_call *wet = ipcmark_publish(trial, publisher, &options);
    stage_done(wet);
    assert_true(ipcmark_reply_count(wet, "published") > 0);
    stage_no_troubles();
    stage_close();
}

static void await_first_message(uint16_t publisher)
{
    ipcmark_call *stats;
    do {
        stats = ipcmark_stats(trial, publisher, 0, false);
        stage_done(stats);
    } while (ipcmark_reply_number(stats, "attempted", 0) < 1);
}

/* Its second message is due in 100 s. */
static void closing_ends_a_sleep(void **state)
{
    ipcmark_publish_options options = {.seconds = 600, .rate = 0.01, .sleeps = true};
    uint16_t publisher;
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    stage_done(ipcmark_open_publisher(start(false), &publisher, NULL));
    ipcmark_call *publishing = ipcmark_publish(trial, publisher, &options);
    await_first_message(publisher);
    stage_done(ipcmark_close(trial, publisher));
    stage_done(publishing);
    stage_no_troubles();
    stage_close();
}

CASES_MAIN(CASE(cycles_are_of_the_one_who_is_sent_to), CASE(what_is_held_is_there_until_the_end),
           CASE(what_cannot_be_is_refused), CASE(who_is_not_told_does_not_wait_for_ever),
           CASE(first_notice_of_a_peer_counts), CASE(dry_schedule_sends_nothing), CASE(closing_ends_a_sleep))
