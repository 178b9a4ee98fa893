/* What benchmarks alone ask of participants: schedules by lot, small frames, and whether a reader slept. */
#include "records.h"
#include "stage.h"

#include "ipcmark/histogram.h"

static uint16_t publisher, subscriber;

static ipcmark_participant *start(bool journal)
{
    const ipcmark_participant_options options = {.flip_journal = !journal};
    ipcmark_participant *participant = ipcmark_participant_start(trial, &options);
    if (participant == NULL)
        fail_msg("%s", ipcmark_session_text(session));
    return participant;
}

static void connect_pair(bool journal, ipcmark_endpoint_options of_subscriber, ipcmark_endpoint_options of_publisher)
{
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    stage_done(ipcmark_open_subscriber(start(journal), &subscriber, &of_subscriber));
    stage_done(ipcmark_open_publisher(start(journal), &publisher, &of_publisher));
    stage_done(ipcmark_wait_peers(trial, publisher, 1, 0));
}

static void publish(ipcmark_publish_options options)
{
    stage_done(ipcmark_publish(trial, publisher, &options));
    stage_done(ipcmark_drain(trial, subscriber, &publisher, 1, 0));
}

static void must_be_refused(ipcmark_call *call)
{
    assert_int_equal(ipcmark_await(call), IPCMARK_REFUSED);
    assert_string_equal(call->code, "EINVAL");
}

static const ipcmark_call *stats(void)
{
    ipcmark_call *call = ipcmark_stats(trial, subscriber, 0, false);
    stage_done(call);
    return call;
}

/* ---- schedules ---- */

/* How much later than by a schedule without jitter the messages were sent: from the least to the most, in ns. */
static int64_t spread_of_schedule(double rate)
{
    struct ipcmark_history history;
    int64_t least = INT64_MAX, most = INT64_MIN;
    records_load(&history, trial);
    for (size_t i = 0; i < history.journal_count; ++i)
        for (size_t k = 0; k < history.journals[i].view.count; ++k) {
            const struct ipcmark_record *record = &history.journals[i].view.records[k];
            int64_t late = (int64_t)record->time_ns - (int64_t)((double)record->sequence * 1e9 / rate);
            if (record->kind != IPCMARK_INVOKE)
                continue;
            least = late < least ? late : least;
            most = late > most ? late : most;
        }
    ipcmark_history_free(&history);
    return most - least;
}

static void a_schedule_has_jitter(void **state)
{
    enum { RATE = 50, INTERVAL_MS = 20 };
    (void)state;
    connect_pair(true, (ipcmark_endpoint_options){0}, (ipcmark_endpoint_options){0});
    publish((ipcmark_publish_options){.count = 25, .rate = RATE, .jitter = 1});
    stage_no_troubles();
    assert_true(spread_of_schedule(RATE) > INTERVAL_MS / 2 * INT64_C(1000000));
    records_expect_pass(trial, 25);
    stage_close();
}

static void a_jitter_is_of_one_interval(void **state)
{
    const ipcmark_publish_options options = {.count = 1, .rate = 10, .jitter = 1.5};
    (void)state;
    connect_pair(true, (ipcmark_endpoint_options){0}, (ipcmark_endpoint_options){0});
    must_be_refused(ipcmark_publish(trial, publisher, &options));
    stage_no_troubles();
    stage_close();
}

/* ---- small frames ---- */

static const size_t sizes[] = {8, 9, 47, 200};
enum { SIZES = sizeof sizes / sizeof sizes[0], SMALL = 100 * SIZES };

static void small_frames_are_checked(void **state)
{
    const ipcmark_endpoint_options small = {.small_frames = true, .count_only = true};
    (void)state;
    connect_pair(false, small, small);
    publish((ipcmark_publish_options){.count = SMALL, .sizes = sizes, .sizes_count = SIZES});
    const ipcmark_call *call = stats();
    assert_int_equal(ipcmark_reply_count(call, "received"), SMALL);
    assert_int_equal(ipcmark_reply_count(call, "torn"), 0);
    assert_int_equal(ipcmark_reply_count(call, "lost"), 0);
    assert_int_equal(ipcmark_reply_count(call, "duplicate"), 0);
    stage_no_troubles();
    stage_close();
}

/* The other frame, or another run's, is damage. */
static void what_is_no_small_frame_is_torn(void **state)
{
    const ipcmark_endpoint_options small = {.small_frames = true};
    const size_t size = 64;
    (void)state;
    connect_pair(false, small, (ipcmark_endpoint_options){0});
    const ipcmark_publish_options options = {.count = 10, .sizes = &size, .sizes_count = 1};
    stage_done(ipcmark_publish(trial, publisher, &options));
    assert_int_equal(ipcmark_await(ipcmark_drain(trial, subscriber, &publisher, 1, 0.5)), IPCMARK_REFUSED);
    assert_int_equal(ipcmark_reply_count(stats(), "torn"), 10);
    stage_close();
}

static void small_frames_have_no_room_for_more(void **state)
{
    const ipcmark_endpoint_options small = {.small_frames = true}, again = {.small_frames = true, .endpoint = 300};
    const size_t few = 7;
    const ipcmark_publish_options too_small = {.count = 1, .sizes = &few, .sizes_count = 1},
                                  two_parts = {.count = 1, .parts = 2}, two_threads = {.count = 1, .threads = 2};
    uint16_t other = 0;
    (void)state;
    connect_pair(false, small, small);
    must_be_refused(ipcmark_publish(trial, publisher, &too_small));
    must_be_refused(ipcmark_publish(trial, publisher, &two_parts));
    must_be_refused(ipcmark_publish(trial, publisher, &two_threads));
    must_be_refused(ipcmark_open_publisher(start(true), &other, &small)); /* nor is it written down */
    must_be_refused(ipcmark_open_publisher(start(false), &other, &again));
    stage_no_troubles();
    stage_close();
}

/* ---- sleep ---- */

static void a_reader_sleeps_between_two(void **state)
{
    (void)state;
    connect_pair(false, (ipcmark_endpoint_options){.count_sleeps = true}, (ipcmark_endpoint_options){0});
    publish((ipcmark_publish_options){.count = 5, .rate = 20});
    assert_int_equal(ipcmark_reply_count(stats(), "slept"), 5);
    stage_no_troubles();
    stage_close();
}

static uint64_t timed(void)
{
    struct ipcmark_histogram *histogram;
    uint64_t total;
    assert_int_equal(ipcmark_histogram_new(&histogram), 0);
    assert_int_equal(ipcmark_histogram_add_json(histogram, cJSON_GetObjectItem(stats()->reply, "histogram")), 0);
    total = histogram->total;
    ipcmark_histogram_free(histogram);
    return total;
}

/* What waited while the handler was at work found nobody asleep, and is not timed; that the handler itself sleeps does
 * not count. */
static void a_busy_reader_does_not(void **state)
{
    const ipcmark_handler_options slow = {.delay_us = 100000};
    (void)state;
    connect_pair(false, (ipcmark_endpoint_options){.count_sleeps = true}, (ipcmark_endpoint_options){0});
    stage_done(ipcmark_handler(trial, subscriber, &slow));
    publish((ipcmark_publish_options){.count = 4, .rate = 1000});
    assert_int_equal(ipcmark_reply_count(stats(), "slept"), 1);
    assert_int_equal(timed(), 1);
    stage_no_troubles();
    stage_close();
}

CASES_MAIN(CASE(a_schedule_has_jitter), CASE(a_jitter_is_of_one_interval), CASE(small_frames_are_checked),
           CASE(what_is_no_small_frame_is_torn), CASE(small_frames_have_no_room_for_more),
           CASE(a_reader_sleeps_between_two), CASE(a_busy_reader_does_not))
