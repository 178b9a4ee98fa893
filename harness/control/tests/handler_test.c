/* What a subscriber's handler is told to do with each message: take its time, answer, close. */
#include "records.h"
#include "stage.h"

static uint16_t publisher, subscriber;

static void connect_pair(void)
{
    stage_done(ipcmark_open_subscriber(stage_start(), &subscriber, NULL));
    stage_done(ipcmark_open_publisher(stage_start(), &publisher, NULL));
    stage_done(ipcmark_wait_peers(trial, publisher, 1, 0));
}

static void set(uint16_t of, ipcmark_handler_options options)
{
    stage_done(ipcmark_handler(trial, of, &options));
}

static void publish(uint64_t count)
{
    const ipcmark_publish_options options = {.count = count};
    stage_done(ipcmark_publish(trial, publisher, &options));
}

static void an_answer_is_published(void **state)
{
    uint16_t echo, back;
    const ipcmark_endpoint_options answers = {.channel = "answers"};
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    ipcmark_participant *answering = stage_start(), *asking = stage_start();
    stage_done(ipcmark_open_subscriber(answering, &subscriber, NULL));
    stage_done(ipcmark_open_subscriber(asking, &back, &answers));
    stage_done(ipcmark_open_publisher(answering, &echo, &answers));
    stage_done(ipcmark_open_publisher(asking, &publisher, NULL));
    stage_done(ipcmark_wait_peers(trial, publisher, 1, 0));
    stage_done(ipcmark_wait_peers(trial, echo, 1, 0));
    set(subscriber, (ipcmark_handler_options){.reply = echo});
    publish(100);
    stage_done(ipcmark_drain(trial, subscriber, &publisher, 1, 0));
    set(subscriber, (ipcmark_handler_options){0}); /* from now on it does not answer */
    publish(10);
    stage_done(ipcmark_drain(trial, subscriber, &publisher, 1, 0));
    ipcmark_call *stats = ipcmark_stats(trial, echo, 0, false);
    stage_done(stats);
    assert_int_equal(ipcmark_reply_count(stats, "published"), 100);
    stage_done(ipcmark_publish(trial, echo, NULL)); /* behind all answers */
    stage_done(ipcmark_drain(trial, back, &echo, 1, 0));
    stage_no_troubles();
    assert_int_equal(records_count(trial, echo, IPCMARK_OK), 101);
    assert_int_equal(records_count(trial, back, IPCMARK_RECEIVED), 101);
    records_expect_pass(trial, 110 + 101);
    stage_close();
}

static void a_subscriber_closes_itself(void **state)
{
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    connect_pair();
    set(subscriber, (ipcmark_handler_options){.close_after = 3});
    publish(2);
    stage_done(ipcmark_drain(trial, subscriber, &publisher, 1, 0));
    assert_int_equal(records_count(trial, subscriber, IPCMARK_CLOSE_INVOKE), 0);
    publish(10);
    stage_done(ipcmark_wait_peers(trial, publisher, 0, 0));
    stage_no_troubles();
    assert_int_equal(records_count(trial, subscriber, IPCMARK_RECEIVED), 3);
    assert_int_equal(records_count(trial, subscriber, IPCMARK_CLOSE_DONE), 1);
    stage_close();
}

static void a_slow_one_takes_its_time(void **state)
{
    enum { COUNT = 5, DELAY_US = 20000 };
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    connect_pair();
    set(subscriber, (ipcmark_handler_options){.delay_us = DELAY_US});
    uint64_t start = ipcmark_now_ns();
    publish(COUNT);
    stage_done(ipcmark_drain(trial, subscriber, &publisher, 1, 0));
    assert_true(ipcmark_now_ns() - start >= (COUNT - 1) * DELAY_US * UINT64_C(1000));
    stage_no_troubles();
    records_expect_pass(trial, COUNT);
    stage_close();
}

static void an_answer_needs_a_publisher(void **state)
{
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    connect_pair();
    ipcmark_handler_options options = {.reply = subscriber};
    ipcmark_call *call = ipcmark_handler(trial, subscriber, &options);
    assert_int_equal(ipcmark_await(call), IPCMARK_REFUSED);
    assert_string_equal(call->code, "EINVAL");
    stage_no_troubles();
    stage_close();
}

CASES_MAIN(CASE(an_answer_is_published), CASE(a_subscriber_closes_itself), CASE(a_slow_one_takes_its_time),
           CASE(an_answer_needs_a_publisher))
