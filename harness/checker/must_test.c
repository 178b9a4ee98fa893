/* What must be received. */
#include "story.h"

static void everything_arrived(void **state)
{
    (void)state;
    begin(2, 3);
    for (uint64_t i = 0; i < 4; ++i)
        pass_on(1, i), pass_on(2, i + 100);
    drain_all();
    passes();
    assert_int_equal(judgement.messages, 8);
    assert_int_equal(judgement.must, 24);
    assert_int_equal(judgement.received, 24);
    assert_int_equal(judgement.violations, 0);
}

/* One of five messages is missing at one of two subscribers: whichever it is, it is found, and named. */
static void one_is_lost(void **state)
{
    (void)state;
    for (uint64_t missing = 0; missing < 5; ++missing) {
        char text[100];
        begin(1, 2);
        for (uint64_t i = 0; i < 5; ++i) {
            send(1, i);
            receive(2, 1, i);
            if (i != missing)
                receive(3, 1, i);
        }
        drain_all();
        snprintf(text, sizeof text, "subscriber 3 epoch 1 never received message %d of publisher 1 epoch 1 thread 0",
                 (int)missing);
        fails(IPCMARK_LOST, text);
        assert_int_equal(judgement.violations, 1);
        assert_int_equal(judgement.by_class[IPCMARK_LOST], 1);
    }
}

/* The end is only judged if somebody waited for it; a gap is, in any case. */
static void not_waited_for(void **state)
{
    (void)state;
    begin(1, 1);
    pass_on(1, 0);
    send(1, 1);
    is_unknown("was not waited for");
    begin(1, 1);
    send(1, 0);
    pass_on(1, 1);
    fails(IPCMARK_LOST, "never received message 0");
    begin(1, 1);
    pass_on(1, 0);
    passes();
}

/* A drain covers messages up to its own sequence. */
static void waited_for_up_to(void **state)
{
    (void)state;
    for (uint64_t until = 0; until < 3; ++until) {
        begin(1, 1);
        send(1, 0), send(1, 1), send(1, 2);
        drain(2, 1, until, 0);
        fails(IPCMARK_LOST, "was waited for");
        assert_int_equal(judgement.by_class[IPCMARK_LOST], until + 1);
        assert_int_equal(judgement.violations, until + 1); /* what is lost is not stuck, too */
    }
}

/* That nothing came until a deadline may be the machine's doing. That what came later came, or that the subscriber said
 * it had everything, is the implementation's. */
static void shown_by_a_deadline_only(void **state)
{
    (void)state;
    for (int later = 0; later <= 1; ++later) {
        begin(1, 1);
        pass_on(1, 0);
        send(1, 1), send(1, 2);
        drain(2, 1, 2, 0);
        if (later)
            receive(2, 1, 2);
        judge(1);
        assert_int_equal(judgement.by_class[IPCMARK_LOST], later ? 1 : 2);
        assert_int_equal(judgement.by_deadline_only, !later);
    }
    begin(1, 1);
    send(1, 0);
    drain_all();
    fails(IPCMARK_LOST, "was waited for");
    assert_false(judgement.by_deadline_only);
    begin(1, 2); /* what came first decides */
    send(1, 0), receive(2, 1, 0), receive(2, 1, 0);
    drain(3, 1, 0, 0);
    fails(IPCMARK_DUPLICATE, "");
    assert_int_equal(judgement.by_class[IPCMARK_LOST], 1);
    assert_false(judgement.by_deadline_only);
    begin(1, 2);
    send(1, 0), receive(2, 1, 0);
    drain(3, 1, 0, 0);
    receive(2, 1, 0);
    fails(IPCMARK_LOST, "subscriber 3");
    assert_true(judgement.by_deadline_only);
}

/* What is invoked before the pair is ready may be missed, and at that tick of the clock; what is invoked after it, not.
 */
static void ready_since(void **state)
{
    (void)state;
    for (int ready = 0; ready <= 1; ++ready) {
        begin(1, 0);
        process_add(2);
        join(2, IPCMARK_SUBSCRIBER, 2, "channel", "directory");
        opens(2);
        invoke(1, 0);
        outcome(1, 0, IPCMARK_OK);
        up(1, 2);
        journals[1].view.records[journals[1].view.count - 1].time_ns -=
            ready ? 21 : 20; /* 1 ns before, or at the INVOKE */
        pass_on(1, 1);
        drain_all();
        if (ready) {
            fails(IPCMARK_LOST, "never received message 0");
        } else {
            passes();
        }
    }
}

/* Reported, but its own open has not returned: not yet ready. */
static void open_must_have_returned(void **state)
{
    (void)state;
    for (int late = 0; late <= 1; ++late) {
        begin(1, 0);
        process_add(2);
        join(2, IPCMARK_SUBSCRIBER, 2, "channel", "directory");
        event(2, IPCMARK_OPEN_INVOKE);
        up(1, 2);
        if (!late)
            event(2, IPCMARK_OPEN_DONE);
        send(1, 0);
        if (late)
            event(2, IPCMARK_OPEN_DONE);
        pass_on(1, 1);
        drain_all();
        if (late) {
            passes();
        } else {
            fails(IPCMARK_LOST, "never received message 0");
        }
    }
}

/* Of a subscriber that went, no gap below the highest that it saw; above it, nothing is owed. */
static void prefix_rule(void **state)
{
    (void)state;
    for (int by_kill = 0; by_kill <= 1; ++by_kill)
        for (uint64_t missing = 0; missing < 4; ++missing) {
            begin(1, 1);
            for (uint64_t i = 0; i < 4; ++i) {
                send(1, i);
                if (i < 3 && i != missing) /* 3 is never received */
                    receive(2, 1, i);
            }
            if (by_kill)
                killed(2);
            else
                closes(2);
            send(1, 4);
            if (missing < 2) {
                fails(IPCMARK_LOST, "and the subscriber received message");
                assert_int_equal(judgement.violations, 1);
            } else {
                passes();
                assert_int_equal(judgement.must, missing == 2 ? 2 : 3);
            }
        }
}

/* Waited for before it went: then all of it was owed. */
static void waited_for_before_it_went(void **state)
{
    (void)state;
    begin(1, 1);
    pass_on(1, 0);
    send(1, 1);
    drain_all();
    closes(2);
    fails(IPCMARK_LOST, "never received message 1");
}

/* Invoked when the subscriber had begun to go. */
static void sent_to_one_who_goes(void **state)
{
    (void)state;
    begin(1, 1);
    pass_on(1, 0);
    event(2, IPCMARK_CLOSE_INVOKE);
    send(1, 1);
    send(1, 2);
    receive(2, 1, 2);
    event(2, IPCMARK_CLOSE_DONE);
    drain_all();
    passes();
}

static void dead_publisher(void **state)
{
    (void)state;
    for (int survives = 0; survives <= 1; ++survives) {
        begin(1, 1);
        expectation.capabilities = survives ? IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH : 0;
        pass_on(1, 0);
        send(1, 1);
        invoke(1, 2);
        killed(1);
        down(2, 1); /* noticed: that excuses nothing that was OK */
        drain_all();
        if (survives) {
            fails(IPCMARK_LOST, "never received message 1");
            assert_int_equal(judgement.violations, 1);
        } else {
            passes();
        }
        assert_int_equal(judgement.kills_inside, 1);
    }
    for (int survives = 0; survives <= 1; ++survives) { /* nobody noticed: the same */
        begin(1, 1);
        expectation.capabilities = survives ? IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH : 0;
        pass_on(1, 0);
        send(1, 1);
        killed(1);
        drain_all();
        if (survives) {
            fails(IPCMARK_LOST, "never received message 1");
        } else {
            passes();
        }
    }
    /* A gap is a gap, claimed or not. */
    begin(1, 1);
    send(1, 0);
    pass_on(1, 1);
    killed(1);
    drain_all();
    fails(IPCMARK_LOST, "never received message 0");
}

/* A publisher that closed owes all that was OK, whatever was reported meanwhile. */
static void closed_publisher(void **state)
{
    (void)state;
    begin(1, 1);
    pass_on(1, 0);
    send(1, 1);
    closes(1);
    down(2, 1);
    drain_all();
    fails(IPCMARK_LOST, "never received message 1");
}

static void may_be_missed(void **state)
{
    (void)state;
    for (int arrives = 0; arrives <= 1; ++arrives) {
        begin(1, 1);
        invoke(1, 0);
        outcome(1, 0, IPCMARK_UNKNOWN);
        if (arrives)
            receive(2, 1, 0);
        invoke(1, 1);
        outcome(1, 1, IPCMARK_FAILED);
        pass_on(1, 2);
        invoke(1, 3);
        killed(1);
        if (arrives)
            receive(2, 1, 3);
        drain_all();
        passes();
        assert_int_equal(judgement.must, 1);
    }
}

/* A restarted publisher is another one: its message 0 is not the other's. */
static void restarts_are_new_epochs(void **state)
{
    const struct ipcmark_member again = {1, 2, IPCMARK_PUBLISHER, 3, "channel", "directory", NULL};
    struct ipcmark_record record;
    (void)state;
    begin(1, 1);
    pass_on(1, 0);
    killed(1);
    down(2, 1);
    process_add(3);
    assert_int_equal(ipcmark_history_add_member(&history, &again), 0);
    for (int kind = IPCMARK_OPEN_INVOKE; kind <= IPCMARK_OPEN_DONE; ++kind)
        write_(3, (struct ipcmark_record){.kind = (uint8_t)kind, .endpoint = 1, .endpoint_epoch = 2});
    for (int kind = IPCMARK_INVOKE; kind <= IPCMARK_OK; ++kind) {
        record = message(1, (enum ipcmark_kind)kind, 1, 0);
        record.endpoint_epoch = record.epoch = 2;
        write_(3, record);
    }
    record = message(2, IPCMARK_RECEIVED, 1, 0);
    record.epoch = 2;
    write_(2, record);
    passes();
    assert_int_equal(judgement.received, 2);
}

/* --- Drains that were not in time --- */

static void deadline_missed(void **state)
{
    (void)state;
    begin(1, 1); /* arrived after it */
    send(1, 0);
    drain(2, 1, 0, 0);
    receive(2, 1, 0);
    fails(IPCMARK_LATE, "after the deadline");
    begin(1, 1); /* not due (its outcome is unknown), but waited for in vain */
    invoke(1, 0);
    outcome(1, 0, IPCMARK_UNKNOWN);
    drain(2, 1, 0, 0);
    fails(IPCMARK_HUNG, "by the deadline");
    for (int outcome_known = 0; outcome_known <= 1; ++outcome_known) {
        begin(1, 1); /* a subscriber that was killed meanwhile is excused */
        invoke(1, 0);
        outcome(1, 0, outcome_known ? IPCMARK_OK : IPCMARK_UNKNOWN);
        fault(IPCMARK_FAULT_KILL, 2, now + 50, now + 60);
        drain(2, 1, 0, 0);
        passes();
    }
    begin(1, 1); /* what a publisher that was killed meanwhile may have sent */
    invoke(1, 0);
    fault(IPCMARK_FAULT_KILL, 1, now + 50, now + 60);
    drain(2, 1, 0, 0);
    passes();
    begin(1, 1); /* it says so, and did not write it down */
    send(1, 0);
    drain(2, 1, 0, 1);
    is_error("its journal does not show it");
}

/* --- Coverage --- */

static void coverage(void **state)
{
    (void)state;
    for (uint64_t floor = 2; floor <= 3; ++floor) {
        begin(1, 1);
        pass_on(1, 0), pass_on(1, 1);
        drain_all();
        expectation.min_must = floor;
        if (floor == 2) {
            passes();
        } else {
            is_unknown("2 messages had to arrive, at least 3 were wanted");
        }
    }
    for (int inside = 0; inside <= 1; ++inside) {
        begin(1, 1);
        pass_on(1, 0);
        invoke(1, 1);
        if (!inside)
            outcome(1, 1, IPCMARK_OK);
        killed(1);
        drain_all();
        expectation.min_kills_inside = 1;
        if (inside) {
            passes();
        } else {
            is_unknown("0 kills between INVOKE and outcome");
        }
    }
    for (int overlaps = 0; overlaps <= 1; ++overlaps) {
        begin(1, 1);
        pass_on(1, 0);
        process_add(3);
        join(3, IPCMARK_SUBSCRIBER, 3, "channel", "directory");
        event(3, IPCMARK_OPEN_INVOKE);
        if (overlaps)
            send(1, 1), receive(2, 1, 1);
        event(3, IPCMARK_OPEN_DONE);
        drain_all();
        expectation.min_joins = 1;
        if (overlaps) {
            passes();
        } else {
            is_unknown("0 subscribers joined under traffic");
        }
    }
}

/* A drain asks for what the publisher said was OK: by then it must be in its journal. */
static void said_before_it_was_recorded(void **state)
{
    (void)state;
    for (int late = 0; late <= 1; ++late) {
        begin(1, 1);
        invoke(1, 0);
        if (!late)
            outcome(1, 0, IPCMARK_OK);
        receive(2, 1, 0);
        drain(2, 1, 0, 1);
        if (late) {
            outcome(1, 0, IPCMARK_OK);
            is_error("before it recorded that");
        } else {
            passes();
        }
    }
}

/* Eight to eight, a million and more records, and one message missing. */
static void many(void **state)
{
    (void)state;
    begin(4, 7);
    for (uint64_t i = 0; i < 30000; ++i)
        for (uint16_t p = 1; p <= 4; ++p) {
            send(p, i);
            for (uint16_t s = 5; s <= 11; ++s)
                if (p != 3 || s != 9 || i != 12345)
                    receive(s, p, i);
        }
    drain_all();
    fails(IPCMARK_LOST, "subscriber 9 epoch 1 never received message 12345 of publisher 3 epoch 1 thread 0");
    assert_int_equal(judgement.violations, 1);
    assert_int_equal(judgement.must, 30000 * 28);
}

CASES_MAIN(CASE(everything_arrived), CASE(one_is_lost), CASE(not_waited_for), CASE(waited_for_up_to),
           CASE(shown_by_a_deadline_only), CASE(ready_since), CASE(open_must_have_returned), CASE(prefix_rule),
           CASE(waited_for_before_it_went), CASE(sent_to_one_who_goes), CASE(dead_publisher), CASE(closed_publisher),
           CASE(may_be_missed), CASE(restarts_are_new_epochs), CASE(deadline_missed), CASE(coverage),
           CASE(said_before_it_was_recorded), CASE(many))
