/* Participants that are asked to kill themselves inside open and close. */
#include "records.h"
#include "stage.h"

#include <signal.h>

static uint16_t endpoint;

static ipcmark_call *open_dying(ipcmark_participant *who, bool publisher, unsigned after_us)
{
    const ipcmark_endpoint_options options = {.kill_self_after_us = after_us};
    return (publisher ? ipcmark_open_publisher : ipcmark_open_subscriber)(who, &endpoint, &options);
}

static void expect_death(ipcmark_participant *who, ipcmark_call *call)
{
    int status;
    if (ipcmark_await(call) != IPCMARK_GONE)
        fail_msg("\"%s\" ended with status %d: %s", call->op, call->status, call->text);
    assert_int_equal(ipcmark_await_exit(who, &status), 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(ipcmark_trial_troubles(trial), 0);
}

/* It is a kill of the history, which began when it was asked for and ended when it was reaped. */
static void expect_kill_logged(const ipcmark_call *call)
{
    struct ipcmark_history history;
    records_load(&history, trial);
    assert_int_equal(history.fault_count, 1);
    assert_int_equal(history.faults[0].kind, IPCMARK_FAULT_KILL);
    assert_int_equal(history.faults[0].from_ns, call->begun_ns);
    assert_true(history.faults[0].until_ns >= call->begun_ns);
    ipcmark_history_free(&history);
}

static void death_comes_inside_open(void **state)
{
    (void)state;
    for (int publisher = 0; publisher < 2; ++publisher) {
        stage_open(IPCMARK_TEST_DRIVER "?hang_open=1", NULL);
        ipcmark_participant *who = stage_start();
        ipcmark_call *call = open_dying(who, publisher, 1000);
        expect_death(who, call);
        expect_kill_logged(call);
        assert_int_equal(records_count(trial, endpoint, IPCMARK_OPEN_INVOKE), 1);
        assert_int_equal(records_count(trial, endpoint, IPCMARK_OPEN_DONE), 0);
        stage_close();
    }
}

static void death_comes_inside_close(void **state)
{
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER "?hang_close=1", NULL);
    ipcmark_participant *who = stage_start();
    stage_done(ipcmark_open_publisher(who, &endpoint, NULL));
    ipcmark_call *call = ipcmark_close_dying(trial, endpoint, 0);
    expect_death(who, call);
    expect_kill_logged(call);
    assert_int_equal(records_count(trial, endpoint, IPCMARK_CLOSE_INVOKE), 1);
    assert_int_equal(records_count(trial, endpoint, IPCMARK_CLOSE_DONE), 0);
    stage_close();
}

/* The time is kept, and nobody is told that it returned; but the journal is. */
static void death_comes_though_the_call_has_returned(void **state)
{
    static const unsigned after_us = 50000;
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    ipcmark_participant *opener = stage_start(), *closer = stage_start();
    ipcmark_call *opened = open_dying(opener, false, after_us);
    expect_death(opener, opened);
    assert_true(opened->ended_ns - opened->begun_ns >= after_us * UINT64_C(1000));
    assert_int_equal(records_count(trial, endpoint, IPCMARK_OPEN_DONE), 1);
    stage_done(ipcmark_open_subscriber(closer, &endpoint, NULL));
    ipcmark_call *closed = ipcmark_close_dying(trial, endpoint, after_us);
    expect_death(closer, closed);
    assert_true(closed->ended_ns - closed->begun_ns >= after_us * UINT64_C(1000));
    assert_int_equal(records_count(trial, endpoint, IPCMARK_CLOSE_DONE), 1);
    stage_close();
}

static void what_is_closed_already_can_still_die(void **state)
{
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    ipcmark_participant *who = stage_start();
    stage_done(ipcmark_open_publisher(who, &endpoint, NULL));
    stage_done(ipcmark_close(trial, endpoint));
    expect_death(who, ipcmark_close_dying(trial, endpoint, 1000000));
    assert_int_equal(records_count(trial, endpoint, IPCMARK_CLOSE_INVOKE), 1);
    stage_close();
}

static void a_crash_before_it_is_not_excused(void **state)
{
    uint16_t other;
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER "?hang_close=1&crash_at=1", NULL);
    ipcmark_participant *who = stage_start();
    stage_done(ipcmark_open_publisher(who, &endpoint, NULL));
    stage_done(ipcmark_open_publisher(who, &other, NULL));
    ipcmark_call *closing = ipcmark_close_dying(trial, endpoint, 600000000);
    assert_int_equal(ipcmark_await(ipcmark_publish(trial, other, NULL)), IPCMARK_GONE);
    assert_int_equal(closing->status, IPCMARK_GONE);
    assert_int_equal(ipcmark_trial_troubles(trial), 1);
    assert_int_equal(ipcmark_trial_trouble(trial, 0)->class_, IPCMARK_CRASHED);
    stage_close();
}

/* Of those who are left nobody is to blame, and the channel works. */
static void the_others_are_judged_as_after_any_death(void **state)
{
    uint16_t publisher, subscriber;
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    ipcmark_participant *dying = stage_start();
    stage_done(ipcmark_open_subscriber(stage_start(), &subscriber, NULL));
    stage_done(ipcmark_open_publisher(stage_start(), &publisher, NULL));
    expect_death(dying, open_dying(dying, false, 1));
    stage_done(ipcmark_wait_peers(trial, publisher, 1, 0));
    stage_done(ipcmark_publish(trial, publisher, &(ipcmark_publish_options){.count = 100}));
    stage_done(ipcmark_drain(trial, subscriber, &publisher, 1, 0));
    records_expect_pass(trial, 100);
    assert_int_equal(ipcmark_trial_troubles(trial), 0);
    stage_close();
}

CASES_MAIN(CASE(death_comes_inside_open), CASE(death_comes_inside_close),
           CASE(death_comes_though_the_call_has_returned), CASE(what_is_closed_already_can_still_die),
           CASE(a_crash_before_it_is_not_excused), CASE(the_others_are_judged_as_after_any_death))
