/* Readiness by name, by count and by probe; disconnects, and what they excuse. */
#include "story.h"

/* Message 1 is missing between 0 and 2; what is told in between differs. */
enum when { BEFORE_NEXT, AFTER_NEXT };

static void gap_told(uint32_t paused_process, uint16_t who, uint16_t whom, enum when when)
{
    begin(1, 2);
    pass_on(1, 0);
    send(1, 1);
    receive(3, 1, 1);
    if (paused_process != 0)
        paused(paused_process);
    if (when == BEFORE_NEXT && who != 0)
        down(who, whom), up(who, whom);
    pass_on(1, 2);
    if (when == AFTER_NEXT && who != 0)
        down(who, whom), up(who, whom);
    drain_all();
}

static void a_gap_needs_report_and_reason(void **state)
{
    (void)state;
    gap_told(2, 1, 2, BEFORE_NEXT); /* both, by the publisher */
    passes();
    assert_int_equal(judgement.must, 5);
    gap_told(2, 2, 1, BEFORE_NEXT); /* both, by the subscriber */
    passes();
    gap_told(1, 2, 1, BEFORE_NEXT); /* the publisher was paused */
    passes();
    gap_told(2, 0, 0, BEFORE_NEXT); /* not reported */
    fails(IPCMARK_LOST, "never received message 1");
    gap_told(2, 1, 2, AFTER_NEXT); /* reported, but not in between */
    fails(IPCMARK_LOST, "never received message 1");
    gap_told(0, 1, 2, BEFORE_NEXT); /* reported without a reason */
    fails(IPCMARK_DISCONNECT, "publisher 1 epoch 1 reported subscriber 2 epoch 1 disconnected");
    assert_int_equal(judgement.violations, 1);
    gap_told(3, 1, 2, BEFORE_NEXT); /* the reason is another's */
    fails(IPCMARK_DISCONNECT, "reported subscriber 2");
    gap_told(2, 1, 3, BEFORE_NEXT); /* another was reported */
    fails(IPCMARK_DISCONNECT, "reported subscriber 3");
    assert_int_equal(judgement.by_class[IPCMARK_LOST], 1);
}

/* Without a name it excuses pairs that had a reason, and no others. */
static void a_disconnect_without_a_name(void **state)
{
    (void)state;
    gap_told(2, 1, 0, BEFORE_NEXT);
    passes();
    gap_told(3, 1, 0, BEFORE_NEXT);
    fails(IPCMARK_LOST, "subscriber 2 epoch 1 never received message 1");
    gap_told(0, 1, 0, BEFORE_NEXT);
    fails(IPCMARK_DISCONNECT, "a peer");
}

/* The pair's own reason is long past, and another pair's does not stand in for it. */
static void a_fault_of_another_window(void **state)
{
    (void)state;
    for (int in_time = 0; in_time <= 1; ++in_time) {
        begin(1, 2);
        pass_on(1, 0);
        paused(2);
        if (!in_time)
            now += 2000; /* settled */
        send(1, 1);
        receive(3, 1, 1);
        paused(3);
        down(1, 0), up(1, 2), up(1, 3);
        pass_on(1, 2);
        drain_all();
        if (in_time) {
            passes();
        } else {
            fails(IPCMARK_LOST, "subscriber 2 epoch 1 never received message 1");
            assert_int_equal(judgement.violations, 1);
        }
    }
}

/* The disconnect and the next message at one tick of a coarse clock: that may be in between. */
static void a_gap_at_one_tick(void **state)
{
    (void)state;
    for (uint64_t earlier = 0; earlier <= 1; ++earlier) { /* the message, than the report */
        begin(1, 1);
        pass_on(1, 0);
        send(1, 1);
        paused(2);
        send(1, 2);
        down(1, 2);
        receive(2, 1, 2), journals[2].view.records[journals[2].view.count - 1].time_ns = (now -= 10) - earlier;
        up(1, 2);
        pass_on(1, 3);
        drain_all();
        if (earlier) {
            fails(IPCMARK_LOST, "subscriber 2 epoch 1 never received message 1");
        } else {
            passes();
        }
    }
}

/* A reason lasts until it has settled, and does not work backwards. */
static void a_reason_has_its_time(void **state)
{
    (void)state;
    for (int64_t offset = -1; offset <= 2; ++offset) { /* of the report, to the pause's begin or the settled end */
        begin(1, 1);
        pass_on(1, 0);
        fault(IPCMARK_FAULT_PAUSE, 2, now + 10 - (uint64_t)(offset < 0 ? offset : 0), now + 20);
        if (offset > 0)
            now += 10 + 1000 + (uint64_t)offset - 1;
        down(1, 2);
        up(1, 2);
        pass_on(1, 1);
        drain_all();
        if (offset == 0 || offset == 1) {
            passes();
        } else {
            fails(IPCMARK_DISCONNECT, "publisher 1 epoch 1 reported subscriber 2 epoch 1 disconnected");
        }
    }
    begin(1, 1); /* never resumed: it lasts */
    fault(IPCMARK_FAULT_PAUSE, 2, now, 0);
    now += 1000000;
    down(1, 2);
    passes();
    begin(1, 1);
    fault(IPCMARK_FAULT_OVERLOAD, 2, now, 0);
    send(1, 0);
    down(1, 2), up(1, 2);
    pass_on(1, 1);
    drain_all();
    passes();
}

/* Kill and close are reasons for ever, for the pairs of that life. */
static void the_gone_are_disconnected(void **state)
{
    (void)state;
    for (int by_kill = 0; by_kill <= 1; ++by_kill) {
        begin(1, 2);
        pass_on(1, 0);
        if (by_kill)
            killed(2);
        else
            closes(2);
        now += 1000000;
        down(1, 2);
        endpoints = 3;
        send(1, 1), receive(3, 1, 1);
        drain_all();
        passes();
        begin(1, 2); /* and not of others */
        if (by_kill)
            killed(2);
        else
            closes(2);
        down(1, 3);
        fails(IPCMARK_DISCONNECT, "reported subscriber 3");
    }
}

/* While disconnected nothing is owed; from the next report on it is again. */
static void reconnected(void **state)
{
    (void)state;
    for (int lost = 0; lost <= 1; ++lost) {
        begin(1, 1);
        pass_on(1, 0);
        paused(2);
        down(1, 2);
        send(1, 1);
        up(1, 2);
        send(1, 2);
        if (!lost)
            receive(2, 1, 2);
        pass_on(1, 3);
        drain_all();
        if (lost) {
            fails(IPCMARK_LOST, "never received message 2");
            assert_int_equal(judgement.violations, 1);
        } else {
            passes();
            assert_int_equal(judgement.must, 3);
        }
    }
    begin(1, 1); /* the subscriber says so: then it must say, too, that it is back */
    paused(2);
    down(2, 1);
    send(1, 0);
    up(1, 2);
    send(1, 1);
    up(2, 1);
    send(1, 2);
    drain_all();
    fails(IPCMARK_LOST, "message 2");
    assert_int_equal(judgement.violations, 1);
}

/* Peers known by their process: if it has one endpoint there, that is meant. */
static void known_by_process(void **state)
{
    (void)state;
    for (int known = 0; known <= 1; ++known) {
        begin(1, 0);
        process_add(2);
        join(2, IPCMARK_SUBSCRIBER, 2, "channel", "directory");
        opens(2);
        up(1, 0);
        journals[1].view.records[journals[1].view.count - 1].sequence = known ? 1002 : 1003;
        send(1, 0);
        drain_all();
        if (known) {
            fails(IPCMARK_LOST, "message 0");
        } else {
            passes();
        }
    }
}

/* --- By count --- */

static void begin_counting(uint16_t subscribers)
{
    begin(1, 0);
    expectation.ready = IPCMARK_READY_COUNT;
    for (uint16_t i = 2; i < 2 + subscribers; ++i) {
        process_add(i);
        join(i, IPCMARK_SUBSCRIBER, i, "channel", "directory");
        opens(i);
    }
}

static void ready_by_count(void **state)
{
    (void)state;
    for (int32_t count = 1; count <= 3; ++count) {
        begin_counting(2);
        counts(1, count);
        send(1, 0);
        drain_all();
        if (count == 2) {
            fails(IPCMARK_LOST, "message 0");
            assert_int_equal(judgement.violations, 2);
        } else {
            passes();
            assert_int_equal(judgement.must, 0);
        }
    }
    begin_counting(1); /* a right count says it also where peers are known by name */
    expectation.ready = IPCMARK_READY_NAME;
    counts(1, 1);
    send(1, 0);
    drain_all();
    fails(IPCMARK_LOST, "message 0");
    begin_counting(1); /* a name is not a count, where the case goes by count */
    up(1, 2);
    send(1, 0);
    drain_all();
    passes();
}

/* The right number while somebody is opening may be the wrong ones. */
static void counted_while_moving(void **state)
{
    (void)state;
    begin_counting(1);
    process_add(3);
    join(3, IPCMARK_SUBSCRIBER, 3, "channel", "directory");
    event(3, IPCMARK_OPEN_INVOKE);
    counts(1, 1);
    event(3, IPCMARK_OPEN_DONE);
    send(1, 0);
    drain_all();
    passes();
    assert_int_equal(judgement.must, 0);
}

/* One was killed and another came: two may be the two, or the dead one and the old one. */
static void counted_after_a_change(void **state)
{
    (void)state;
    for (int how = 0; how <= 2; ++how) {
        begin_counting(2);
        counts(1, 2);
        pass_on(1, 0);
        killed(3);
        if (how == 1)
            counts(1, 1); /* the death was noticed in between */
        process_add(4);
        join(4, IPCMARK_SUBSCRIBER, 4, "channel", "directory");
        opens(4);
        if (how == 2)
            now += 2000; /* or must have been, long ago */
        counts(1, 2);
        send(1, 1);
        receive(2, 1, 1);
        drain_all();
        if (how == 0) {
            passes();
        } else {
            fails(IPCMARK_LOST, "subscriber 4 epoch 1 never received message 1");
        }
    }
}

/* Who had closed before the publisher opened was never in its count; who was killed before may still be. */
static void gone_before_the_publisher_came(void **state)
{
    (void)state;
    for (int by_kill = 0; by_kill <= 1; ++by_kill) {
        stage();
        expectation.ready = IPCMARK_READY_COUNT;
        for (uint16_t i = 1; i <= 3; ++i) {
            process_add(i);
            join(i, i == 1 ? IPCMARK_PUBLISHER : IPCMARK_SUBSCRIBER, i, "channel", "directory");
        }
        opens(2);
        if (by_kill)
            killed(2);
        else
            closes(2);
        opens(1);
        opens(3);
        counts(1, 1);
        send(1, 0);
        publishers = 1;
        drain_all();
        if (by_kill) {
            passes();
        } else {
            fails(IPCMARK_LOST, "subscriber 3 epoch 1 never received message 0");
        }
    }
}

/* Who never got as far as being open is there no more, and a count without it is right. */
static void gone_while_it_opened(void **state)
{
    (void)state;
    for (int refused = 0; refused <= 1; ++refused) {
        begin_counting(2);
        process_add(4);
        join(4, IPCMARK_SUBSCRIBER, 4, "channel", "directory");
        event(4, IPCMARK_OPEN_INVOKE);
        counts(1, 2); /* says nothing: the third may be one of them */
        send(1, 0);
        if (refused)
            write_(4, (struct ipcmark_record){
                          .kind = IPCMARK_OPEN_DONE, .endpoint = 4, .endpoint_epoch = 1, .error = -ENOMEM});
        else
            killed(4);
        now += 2000;
        counts(1, 2);
        send(1, 1);
        receive(2, 1, 1), receive(3, 1, 1);
        send(1, 2);
        receive(2, 1, 2);
        publishers = 1, endpoints = 3;
        drain_all();
        fails(IPCMARK_LOST, "subscriber 3 epoch 1 never received message 2");
        assert_int_equal(judgement.violations, 1);
        assert_int_equal(judgement.must, 4);
    }
}

/* A count that falls is a disconnect without a name. */
static void counts_that_fall(void **state)
{
    (void)state;
    begin_counting(2);
    counts(1, 2);
    counts(1, 1);
    fails(IPCMARK_DISCONNECT, "a peer");
    begin_counting(2);
    counts(1, 2);
    pass_on(1, 0);
    send(1, 1), receive(3, 1, 1);
    paused(2);
    counts(1, 1);
    now += 2000;
    counts(1, 2);
    pass_on(1, 2);
    drain_all();
    passes();
    assert_int_equal(judgement.must, 5);
}

/* --- By probe --- */

static void ready_by_probe(void **state)
{
    (void)state;
    for (int lost = 0; lost <= 1; ++lost) {
        begin(1, 0);
        expectation.ready = IPCMARK_READY_PROBE;
        process_add(2);
        join(2, IPCMARK_SUBSCRIBER, 2, "channel", "directory");
        opens(2);
        send(1, 0);    /* before the first that it received: cannot be seen */
        pass_on(1, 1); /* the probe */
        send(1, 2);
        if (!lost)
            receive(2, 1, 2);
        drain_all();
        if (lost) {
            fails(IPCMARK_LOST, "message 2");
        } else {
            passes();
            assert_int_equal(judgement.must, 1);
        }
    }
}

static void send_on_thread(uint16_t thread, uint64_t sequence, bool arrives)
{
    const enum ipcmark_kind kinds[] = {IPCMARK_INVOKE, IPCMARK_OK, IPCMARK_RECEIVED};
    for (size_t i = 0; i < (arrives ? 3 : 2); ++i) {
        const uint16_t writer = kinds[i] == IPCMARK_RECEIVED ? 2 : 1;
        struct ipcmark_record record = message(writer, kinds[i], 1, sequence);
        record.thread = thread;
        write_(writer, record);
    }
}

/* A probe is one of the publisher, whichever thread sent it. */
static void probed_by_another_thread(void **state)
{
    (void)state;
    for (int lost = 0; lost <= 1; ++lost) {
        begin(1, 0);
        expectation.ready = IPCMARK_READY_PROBE;
        process_add(2);
        join(2, IPCMARK_SUBSCRIBER, 2, "channel", "directory");
        opens(2);
        pass_on(1, 0);
        send_on_thread(7, 0, !lost);
        send_on_thread(7, 1, true);
        drain_all();
        if (lost)
            fails(IPCMARK_LOST, "message 0 of publisher 1 epoch 1 thread 7");
        else
            passes();
        assert_int_equal(judgement.must, 2);
    }
}

/* Who tells that somebody came, not who, and does not count, is as good as one who tells nothing. */
static void probed_by_who_has_no_names(void **state)
{
    (void)state;
    for (int counts_too = 0; counts_too <= 1; ++counts_too) {
        begin(1, 0);
        expectation.capabilities = IPCMARK_CAP_PEER_EVENTS | (counts_too ? IPCMARK_CAP_PEERS : 0);
        process_add(2);
        join(2, IPCMARK_SUBSCRIBER, 2, "channel", "directory");
        opens(2);
        up(1, 0);
        send(1, 0);
        pass_on(1, 1);
        send(1, 2);
        pass_on(1, 3);
        drain_all();
        if (counts_too)
            passes();
        else
            fails(IPCMARK_LOST, "message 2");
        assert_int_equal(judgement.must, counts_too ? 0 : 2);
    }
}

CASES_MAIN(CASE(a_gap_needs_report_and_reason), CASE(a_disconnect_without_a_name), CASE(a_fault_of_another_window),
           CASE(a_gap_at_one_tick), CASE(a_reason_has_its_time), CASE(the_gone_are_disconnected), CASE(reconnected),
           CASE(known_by_process), CASE(ready_by_count), CASE(counted_while_moving), CASE(counted_after_a_change),
           CASE(gone_before_the_publisher_came), CASE(gone_while_it_opened), CASE(counts_that_fall),
           CASE(ready_by_probe), CASE(probed_by_another_thread), CASE(probed_by_who_has_no_names))
