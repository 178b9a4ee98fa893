/* What must not be received, and histories that contradict themselves. */
#include "story.h"

#include <errno.h>

static void twice(void **state)
{
    (void)state;
    begin(1, 1); /* at once */
    pass_on(1, 0);
    receive(2, 1, 0);
    fails(IPCMARK_DUPLICATE, "received message 0 of publisher 1 epoch 1 thread 0 at +0.000000 s, and before at");
    assert_int_equal(judgement.violations, 1);
    begin(1, 1); /* later, when others came between */
    pass_on(1, 0), pass_on(1, 1), pass_on(1, 2);
    receive(2, 1, 0);
    fails(IPCMARK_DUPLICATE, "received message 0");
    assert_int_equal(judgement.violations, 1);
    begin(1, 1); /* three times are two violations */
    pass_on(1, 0);
    receive(2, 1, 0), receive(2, 1, 0);
    fails(IPCMARK_DUPLICATE, "and before at");
    assert_int_equal(judgement.by_class[IPCMARK_DUPLICATE], 2);
    begin(1, 1); /* also where it might have been missed */
    invoke(1, 0);
    outcome(1, 0, IPCMARK_UNKNOWN);
    receive(2, 1, 0), receive(2, 1, 0);
    fails(IPCMARK_DUPLICATE, "and before at");
    begin(1, 2); /* each of two subscribers once: that is as it should be */
    pass_on(1, 0);
    drain_all();
    passes();
}

/* Into another file of the same subscriber, as its threads have one each. */
static void receive_elsewhere(uint64_t sequence, uint64_t time_ns)
{
    struct ipcmark_journal_view other = {malloc(sizeof *other.records), 1, 0};
    assert_non_null(other.records);
    other.records[0] = message(2, IPCMARK_RECEIVED, 1, sequence);
    other.records[0].time_ns = time_ns;
    assert_int_equal(ipcmark_history_add_journal(&history, 2, "2.1", &other), 0);
}

/* In two journals: of one subscriber it is twice, whatever the order of the files and the clock say. */
static void twice_in_two_journals(void **state)
{
    (void)state;
    for (int64_t offset = -10; offset <= 10; offset += 10) { /* of the other one's time: earlier, the same, later */
        begin(1, 1);
        send(1, 0);
        now += 20;
        receive(2, 1, 0);
        receive_elsewhere(0, now + (uint64_t)offset);
        fails(IPCMARK_DUPLICATE, "received message 0 of publisher 1 epoch 1 thread 0");
        assert_int_equal(judgement.violations, 1);
    }
    begin(1, 1);
    send(1, 0), send(1, 1);
    receive(2, 1, 0);
    receive_elsewhere(1, now += 10);
    drain_all();
    passes();
}

/* The second time with other bytes: damaged, and one too many. */
static void twice_and_different(void **state)
{
    (void)state;
    for (int again = 0; again <= 1; ++again) {
        begin(1, 1);
        send(1, 0);
        receive(2, 1, 0);
        if (again)
            receive(2, 1, 0), last(2)->digest ^= 1;
        pass_on(1, 1);
        drain_all();
        if (again) {
            fails(IPCMARK_CORRUPT, "received message 0 of publisher 1 epoch 1 thread 0");
            assert_int_equal(judgement.by_class[IPCMARK_DUPLICATE], 1);
            assert_int_equal(judgement.violations, 2);
        } else {
            passes();
        }
    }
}

/* By two lives of one subscriber: to the second it is a history, unless it was still under way. */
static void twice_in_two_epochs(void **state)
{
    static const struct ipcmark_member again = {2, 2, IPCMARK_SUBSCRIBER, 3, "channel", "directory", NULL};
    (void)state;
    for (int under_way = 0; under_way <= 1; ++under_way) {
        struct ipcmark_record received;
        begin(1, 1);
        invoke(1, 0);
        receive(2, 1, 0);
        killed(2);
        if (!under_way)
            outcome(1, 0, IPCMARK_OK);
        process_add(3);
        assert_int_equal(ipcmark_history_add_member(&history, &again), 0);
        for (int kind = IPCMARK_OPEN_INVOKE; kind <= IPCMARK_OPEN_DONE; ++kind)
            write_(3, (struct ipcmark_record){.kind = (uint8_t)kind, .endpoint = 2, .endpoint_epoch = 2});
        received = message(2, IPCMARK_RECEIVED, 1, 0);
        received.endpoint_epoch = 2;
        write_(3, received);
        if (under_way) {
            outcome(1, 0, IPCMARK_OK);
            passes();
        } else {
            fails(IPCMARK_PHANTOM, "subscriber 2 epoch 2 received message 0");
        }
    }
}

static void out_of_order(void **state)
{
    (void)state;
    begin(1, 1);
    send(1, 0), send(1, 1), send(1, 2);
    receive(2, 1, 0), receive(2, 1, 2), receive(2, 1, 1);
    drain_all();
    fails(IPCMARK_REORDERED, "received message 1 of publisher 1 epoch 1 thread 0 at +0.000000 s, after message 2");
    assert_int_equal(judgement.violations, 1); /* late in order is not lost */
    begin(2, 1);                               /* of different publishers: no order is promised */
    send(1, 0), send(2, 0);
    receive(2 + 1, 2, 0), receive(2 + 1, 1, 0);
    drain_all();
    passes();
}

static void thread_send(uint16_t thread, uint64_t sequence)
{
    invoke(1, sequence), last(1)->thread = thread, last(1)->digest += 100u * thread;
    outcome(1, sequence, IPCMARK_OK), last(1)->thread = thread;
}

static void thread_receive(uint16_t thread, uint64_t sequence)
{
    receive(2, 1, sequence);
    last(2)->thread = thread, last(2)->digest += 100u * thread;
}

/* Order is promised within a thread, not between the threads of a publisher. */
static void threads(void **state)
{
    (void)state;
    for (int wrong = 0; wrong <= 1; ++wrong) {
        begin(1, 1);
        thread_send(0, 0), thread_send(1, 0), thread_send(0, 1), thread_send(1, 1);
        thread_receive(1, 0), thread_receive(0, (uint64_t)wrong), thread_receive(1, 1),
            thread_receive(0, (uint64_t)!wrong);
        drain_all();
        if (wrong) {
            fails(IPCMARK_REORDERED, "thread 0");
        } else {
            passes();
        }
    }
}

/* Deliveries in two files (threads) at one tick of a coarse clock: their order is not known, and not a violation. In
 * one file it is known. */
static void one_tick_of_the_clock(void **state)
{
    (void)state;
    for (int how = 0; how <= 2; ++how) { /* two files and one tick, two files and two ticks, one file */
        begin(1, 1);
        send(1, 0), send(1, 1);
        if (how == 2) {
            receive(2, 1, 1);
        } else {
            receive_elsewhere(1, now += 10);
        }
        receive(2, 1, 0);
        last(2)->time_ns = how == 1 ? now - 9 : now - 10;
        drain_all();
        if (how == 0) {
            passes();
        } else {
            fails(IPCMARK_REORDERED, "received message 0 of publisher 1 epoch 1 thread 0");
        }
    }
}

/* A third one at that tick does not hide that the second comes behind a later one. */
static void behind_a_tick_of_the_clock(void **state)
{
    (void)state;
    for (int wrong = 0; wrong <= 1; ++wrong) {
        begin(1, 1);
        send(1, 0), send(1, 1), send(1, 2);
        receive(2, 1, 0);
        receive_elsewhere(wrong ? 2 : 1, now);
        receive(2, 1, wrong ? 1 : 2);
        drain_all();
        if (wrong) {
            fails(IPCMARK_REORDERED, "received message 1 of publisher 1 epoch 1 thread 0");
            assert_int_equal(judgement.violations, 1);
        } else {
            passes();
        }
    }
}

/* Two ticks of two files each: what came at the first one came before all that came at the second. */
static void two_ticks_of_the_clock(void **state)
{
    (void)state;
    for (int wrong = 0; wrong <= 1; ++wrong) {
        begin(1, 1);
        send(1, 0), send(1, 1), send(1, 2), send(1, 3);
        receive_elsewhere(wrong ? 2 : 1, now += 10);
        receive(2, 1, 0), last(2)->time_ns = now -= 10;
        receive_elsewhere(3, now += 10);
        receive(2, 1, wrong ? 1 : 2), last(2)->time_ns = now -= 10;
        drain_all();
        if (wrong) {
            fails(IPCMARK_REORDERED, "received message 1 of publisher 1 epoch 1 thread 0");
        } else {
            passes();
        }
    }
}

/* The highest is the highest, not the latest. */
static void gaps_behind_a_disorder(void **state)
{
    (void)state;
    begin(1, 1);
    send(1, 0), send(1, 1), send(1, 2);
    receive(2, 1, 2), receive(2, 1, 0);
    fails(IPCMARK_LOST, "message 1");
    assert_int_equal(judgement.by_class[IPCMARK_REORDERED], 1);
}

static void other_bytes(void **state)
{
    (void)state;
    for (int change = 0; change < 5; ++change) {
        begin(1, 1);
        send(1, 0);
        receive(2, 1, 0);
        if (change == 1)
            last(2)->digest ^= 1;
        else if (change == 2)
            last(2)->size -= 1;
        else if (change == 3)
            last(2)->parts += 1;
        else if (change == 4)
            last(2)->error = -74;
        pass_on(1, 1);
        drain_all();
        if (change == 0) {
            passes();
        } else {
            fails(IPCMARK_CORRUPT, change == 4 ? "its CRC is wrong" : "sent 64 bytes in 2 parts");
            assert_int_equal(judgement.violations, 1); /* a damaged message is not lost, too */
        }
    }
    begin(1, 1); /* so damaged that its name is another: corrupt comes first, not what is missing for it */
    send(1, 0);
    receive(2, 1, 999);
    last(2)->error = -74;
    pass_on(1, 1);
    drain_all();
    fails(IPCMARK_CORRUPT, "if its header can be believed");
}

static void never_sent(void **state)
{
    (void)state;
    begin(1, 1); /* beyond the last, before the first, of nobody, of another thread */
    pass_on(1, 5);
    receive(2, 1, 6);
    fails(IPCMARK_PHANTOM, "received message 6 of publisher 1 epoch 1 thread 0 at +0.000000 s: nobody ever sent it");
    begin(1, 1);
    send(1, 5);
    receive(2, 1, 4);
    receive(2, 1, 5);
    fails(IPCMARK_PHANTOM, "received message 4");
    begin(1, 1);
    receive(2, 9, 0);
    fails(IPCMARK_PHANTOM, "publisher 9");
    begin(1, 1);
    pass_on(1, 0);
    thread_receive(1, 0);
    fails(IPCMARK_PHANTOM, "thread 1");
}

static void failed_yet_delivered(void **state)
{
    (void)state;
    begin(1, 2);
    invoke(1, 0);
    receive(2, 1, 0);
    outcome(1, 0, IPCMARK_FAILED);
    fails(IPCMARK_PHANTOM, "subscriber 2 epoch 1 received message 0 of publisher 1 epoch 1 thread 0");
    assert_non_null(strstr(judgement.text, "its publish had failed"));
    begin(1, 2); /* not delivered: as it should be */
    invoke(1, 0);
    outcome(1, 0, IPCMARK_FAILED);
    pass_on(1, 1);
    drain_all();
    passes();
}

/* What was sent before a subscriber opened is not for it; what was under way when it opened may be. */
static void history_replayed(void **state)
{
    (void)state;
    for (int before = 0; before <= 1; ++before) {
        begin(1, 0);
        process_add(2);
        join(2, IPCMARK_SUBSCRIBER, 2, "channel", "directory");
        invoke(1, 0);
        if (before)
            outcome(1, 0, IPCMARK_OK);
        event(2, IPCMARK_OPEN_INVOKE);
        if (!before)
            outcome(1, 0, IPCMARK_OK);
        event(2, IPCMARK_OPEN_DONE);
        receive(2, 1, 0);
        if (before) {
            fails(IPCMARK_PHANTOM, "before that subscriber opened");
        } else {
            passes();
        }
    }
}

/* Before subscribe was invoked is wrong; before it returned, or at that tick, is not. */
static void before_it_subscribed(void **state)
{
    (void)state;
    for (int before = 0; before <= 1; ++before) {
        begin(1, 0);
        process_add(2);
        join(2, IPCMARK_SUBSCRIBER, 2, "channel", "directory");
        invoke(1, 0);
        receive(2, 1, 0);
        opens(2);
        journals[2].view.records[0].time_ns += before ? 9 : 10;
        outcome(1, 0, IPCMARK_OK);
        if (before) {
            fails(IPCMARK_PHANTOM, "subscriber 2 epoch 1 received at");
            assert_non_null(strstr(judgement.text, "before it subscribed"));
        } else {
            passes();
        }
    }
}

/* An open that failed never was: whatever arrives later is for nobody. */
static void after_a_failed_open(void **state)
{
    (void)state;
    for (int failed = 0; failed <= 1; ++failed) {
        begin(1, 0);
        process_add(2);
        join(2, IPCMARK_SUBSCRIBER, 2, "channel", "directory");
        event(2, IPCMARK_OPEN_INVOKE);
        event(2, IPCMARK_OPEN_DONE);
        last(2)->error = failed ? -ENOMEM : 0;
        send(1, 0);
        receive(2, 1, 0);
        if (failed) {
            fails(IPCMARK_LATE, "after its close had returned");
        } else {
            passes();
        }
    }
}

/* During close is allowed, at the moment of its return too, after it not. */
static void after_close(void **state)
{
    (void)state;
    for (uint64_t after = 0; after <= 2; ++after) {
        begin(1, 1);
        send(1, 0);
        event(2, IPCMARK_CLOSE_INVOKE);
        event(2, IPCMARK_CLOSE_DONE);
        receive(2, 1, 0);
        last(2)->time_ns = now - 11 + after;
        if (after == 2) {
            fails(IPCMARK_LATE, "after its close had returned");
        } else {
            passes();
        }
    }
}

static void leaked(void **state)
{
    static const char *const places[][2] = {
        {"channel", "directory"}, {"Channel", "directory"}, {"channel", "directory2"}};
    (void)state;
    for (size_t i = 0; i < 3; ++i) {
        begin(1, 0);
        process_add(2);
        join(2, IPCMARK_SUBSCRIBER, 2, places[i][0], places[i][1]);
        opens(2);
        pass_on(1, 0);
        if (i == 0) {
            passes();
        } else {
            fails(IPCMARK_LEAKED, "on another channel, in another directory");
        }
    }
    begin(1, 1);
    pass_on(1, 0);
    last(2)->run = ipcmark_payload_name("another run");
    fails(IPCMARK_LEAKED, "received message 0 of publisher 1 epoch 1 thread 0 at");
    assert_non_null(strstr(judgement.text, "it is of another run"));
}

/* Whether endpoints of one process meet is a matter of what is claimed. */
static void own_process(void **state)
{
    (void)state;
    for (int claimed = 0; claimed <= 1; ++claimed) {
        begin(1, 0);
        join(2, IPCMARK_SUBSCRIBER, 1, "channel", "directory");
        for (int kind = IPCMARK_OPEN_INVOKE; kind <= IPCMARK_OPEN_DONE; ++kind)
            write_(1, (struct ipcmark_record){.kind = (uint8_t)kind, .endpoint = 2, .endpoint_epoch = 1});
        send(1, 0);
        write_(1, message(2, IPCMARK_RECEIVED, 1, 0));
        expectation.capabilities = claimed ? IPCMARK_CAP_NO_SELF_DELIVERY : 0;
        if (claimed) {
            fails(IPCMARK_LEAKED, "by its own process");
        } else {
            passes();
        }
    }
}

/* --- What never returned --- */

static void never_returned(void **state)
{
    (void)state;
    for (int by_kill = 0; by_kill <= 1; ++by_kill) {
        begin(1, 1);
        pass_on(1, 0);
        invoke(1, 1);
        if (by_kill)
            killed(1);
        drain_all();
        if (by_kill) {
            passes();
        } else {
            fails(IPCMARK_HUNG, "publish of message 1, begun at");
            assert_int_equal(judgement.kills_inside, 0);
        }
        begin(1, 1);
        event(2, IPCMARK_CLOSE_INVOKE);
        if (by_kill)
            killed(2);
        if (by_kill) {
            passes();
        } else {
            fails(IPCMARK_HUNG, "subscriber 2 epoch 1: close, begun at");
        }
    }
    for (int how = 0; how <= 2; ++how) { /* an open that hangs, is cut short, fails */
        begin(1, 0);
        process_add(2);
        join(2, IPCMARK_SUBSCRIBER, 2, "channel", "directory");
        event(2, IPCMARK_OPEN_INVOKE);
        if (how == 1)
            killed(2);
        if (how == 2)
            event(2, IPCMARK_OPEN_DONE), last(2)->error = -ENOMEM;
        if (how == 0) {
            fails(IPCMARK_HUNG, "subscriber 2 epoch 1: open, begun at");
        } else {
            passes();
        }
    }
}

CASES_MAIN(CASE(twice), CASE(twice_in_two_journals), CASE(twice_and_different), CASE(twice_in_two_epochs),
           CASE(out_of_order), CASE(threads), CASE(one_tick_of_the_clock), CASE(behind_a_tick_of_the_clock),
           CASE(two_ticks_of_the_clock), CASE(gaps_behind_a_disorder), CASE(other_bytes), CASE(never_sent),
           CASE(failed_yet_delivered), CASE(history_replayed), CASE(before_it_subscribed), CASE(after_a_failed_open),
           CASE(after_close), CASE(leaked), CASE(own_process), CASE(never_returned))
