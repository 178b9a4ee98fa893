/* Messages without a header: how many, whose, when, and in which place. */
#include "story.h"

static void tiny(uint16_t who, enum ipcmark_kind kind, uint64_t sequence, uint32_t digest)
{
    struct ipcmark_record record = message(who, kind, kind == IPCMARK_RECEIVED ? IPCMARK_NO_ENDPOINT : 1, sequence);
    record.flags = IPCMARK_UNFRAMED;
    record.size = 3;
    record.digest = digest;
    record.run = kind == IPCMARK_RECEIVED ? 0 : record.run;
    write_(who, record);
}

static void unframed_told(int sent, int received)
{
    begin(1, 1);
    pass_on(1, 0);
    for (int i = 0; i < sent; ++i) {
        tiny(1, IPCMARK_INVOKE, (uint64_t)i + 1, 77);
        outcome(1, (uint64_t)i + 1, IPCMARK_OK);
    }
    for (int i = 0; i < received; ++i)
        tiny(2, IPCMARK_RECEIVED, 0, 77);
    pass_on(1, (uint64_t)sent + 1);
    drain_all();
}

static void how_many(void **state)
{
    (void)state;
    unframed_told(2, 2);
    passes();
    assert_int_equal(judgement.must, 4);
    unframed_told(2, 1);
    fails(IPCMARK_LOST, "received 1 times a message of 3 bytes");
    unframed_told(2, 3);
    fails(IPCMARK_DUPLICATE, "received 3 times a message of 3 bytes in 2 parts (digest 0000004d) by");
    unframed_told(0, 1);
    fails(IPCMARK_PHANTOM, "was sent to it 0 times by then");
    unframed_told(1, 1);
    journals[1].view.records[journals[1].view.count - 3].kind = IPCMARK_FAILED;
    fails(IPCMARK_PHANTOM, "was sent to it 0 times by then");
}

/* 0 framed, 1 and 2 unframed, 3 framed, 4 unframed, 5 framed; then received in the order that is given. */
static void places_told(uint32_t digest_of_4, const char *order)
{
    const uint32_t digests[] = {0, 77, 78, 0, digest_of_4, 0};
    begin(1, 1);
    for (uint64_t i = 0; i < 6; ++i) {
        if (digests[i] == 0) {
            send(1, i);
            continue;
        }
        tiny(1, IPCMARK_INVOKE, i, digests[i]);
        outcome(1, i, IPCMARK_OK);
    }
    for (; *order != '\0'; ++order) {
        const uint64_t i = (uint64_t)(*order - '0');
        if (digests[i] == 0)
            receive(endpoints, 1, i);
        else
            tiny(endpoints, IPCMARK_RECEIVED, 0, digests[i]);
    }
}

static void in_their_place(void **state)
{
    (void)state;
    places_told(79, "012345");
    drain_all();
    passes();
    places_told(79, "021345"); /* among each other */
    drain_all();
    fails(IPCMARK_REORDERED, "number 1 of its publisher");
    places_told(79, "013245"); /* behind a framed one */
    drain_all();
    fails(IPCMARK_REORDERED, "number 2 of its publisher");
    places_told(79, "012435"); /* before a framed one */
    drain_all();
    fails(IPCMARK_REORDERED, "received message 3");
    places_told(78, "013245"); /* the first of two that look the same is taken for 4 */
    drain_all();
    fails(IPCMARK_REORDERED, "number 2 of its publisher");
    places_told(77, "013245"); /* 1 and 4 look the same: no help to 2 */
    drain_all();
    fails(IPCMARK_REORDERED, "number 2 of its publisher");
    places_told(79, "01345"); /* what is lost is no disorder of what follows */
    drain_all();
    fails(IPCMARK_LOST, "received 0 times");
    places_told(79, "0112345"); /* nor is one too many */
    drain_all();
    fails(IPCMARK_DUPLICATE, "received 2 times");
    places_told(79, "0123345");
    drain_all();
    fails(IPCMARK_DUPLICATE, "received message 3");
}

/* With one too many nobody can say which it is, and so no place either. */
static void a_surplus_has_no_place(void **state)
{
    (void)state;
    for (int twice = 0; twice <= 1; ++twice) {
        places_told(77, twice ? "0112345" : "012345");
        drain_all();
        if (twice) {
            fails(IPCMARK_DUPLICATE, "received 3 times");
            assert_int_equal(judgement.violations, 1);
        } else {
            passes();
        }
    }
}

static void of_two_threads(void **state)
{
    struct ipcmark_record other;
    (void)state;
    places_told(79, "021345"); /* whose is whose cannot be told: their number only */
    for (uint64_t i = 0; i < 2; ++i) {
        other = message(1, IPCMARK_INVOKE, 1, i);
        other.thread = 1, other.flags = IPCMARK_UNFRAMED, other.size = 3, other.digest = 90 + (uint32_t)i;
        write_(1, other);
        other.kind = IPCMARK_OK;
        write_(1, other);
    }
    tiny(2, IPCMARK_RECEIVED, 0, 91), tiny(2, IPCMARK_RECEIVED, 0, 90);
    drain_all();
    passes();
}

/* Other bytes, or other parts, are another message: that nobody sent, and the one that was is missing. */
static void other_bytes(void **state)
{
    (void)state;
    for (int change = 0; change <= 2; ++change) {
        unframed_told(1, 1);
        struct ipcmark_record *received = &journals[2].view.records[journals[2].view.count - 2];
        assert_true((received->flags & IPCMARK_UNFRAMED) != 0);
        if (change == 1)
            received->digest ^= 1;
        else if (change == 2)
            received->parts = 1;
        if (change == 0) {
            passes();
        } else {
            fails(IPCMARK_PHANTOM, "was sent to it 0 times by then");
            assert_int_equal(judgement.by_class[IPCMARK_LOST], 1);
        }
    }
}

/* Nothing can arrive before it is sent, and one too early does not make up for one that is lost later. */
static void before_it_was_sent(void **state)
{
    (void)state;
    for (int early = 0; early <= 3; ++early) {
        begin(1, 1);
        pass_on(1, 0);
        if (early == 1)
            tiny(2, IPCMARK_RECEIVED, 0, 77);
        tiny(1, IPCMARK_INVOKE, 1, 77);
        if (early == 2) { /* at the same tick of a coarse clock */
            tiny(2, IPCMARK_RECEIVED, 0, 77);
            journals[2].view.records[journals[2].view.count - 1].time_ns -= 10;
        }
        outcome(1, 1, IPCMARK_OK);
        if (early == 0 || early == 3)
            tiny(2, IPCMARK_RECEIVED, 0, 77);
        if (early == 3) /* a second one, before a second one is sent */
            tiny(2, IPCMARK_RECEIVED, 0, 77);
        pass_on(1, 2);
        if (early == 3)
            tiny(1, IPCMARK_INVOKE, 3, 77), outcome(1, 3, IPCMARK_OK), pass_on(1, 4);
        drain_all();
        if (early == 1) {
            fails(IPCMARK_PHANTOM, "received 1 times a message of 3 bytes");
        } else if (early == 3) {
            fails(IPCMARK_DUPLICATE, "received 2 times a message of 3 bytes");
        } else {
            passes();
        }
    }
}

/* What was sent before a subscriber opened is not for it, and what was under way then may be. */
static void history_replayed(void **state)
{
    (void)state;
    for (int before = 0; before <= 1; ++before) {
        begin(1, 0);
        process_add(2);
        join(2, IPCMARK_SUBSCRIBER, 2, "channel", "directory");
        tiny(1, IPCMARK_INVOKE, 0, 77);
        if (before)
            outcome(1, 0, IPCMARK_OK);
        event(2, IPCMARK_OPEN_INVOKE);
        if (!before)
            outcome(1, 0, IPCMARK_OK);
        event(2, IPCMARK_OPEN_DONE);
        tiny(2, IPCMARK_RECEIVED, 0, 77);
        if (before) {
            fails(IPCMARK_PHANTOM, "was sent to it 0 times by then");
        } else {
            passes();
        }
    }
}

/* Of another channel or directory: nobody sent it to this one. */
static void from_elsewhere(void **state)
{
    static const char *const places[][2] = {
        {"channel", "directory"}, {"Channel", "directory"}, {"channel", "directory2"}};
    (void)state;
    for (size_t i = 0; i < 3; ++i) {
        begin(1, 0);
        process_add(2);
        join(2, IPCMARK_SUBSCRIBER, 2, places[i][0], places[i][1]);
        opens(2);
        tiny(1, IPCMARK_INVOKE, 0, 77);
        outcome(1, 0, IPCMARK_OK);
        tiny(2, IPCMARK_RECEIVED, 0, 77);
        if (i == 0) {
            passes();
        } else {
            fails(IPCMARK_PHANTOM, "was sent to it 0 times by then");
        }
    }
}

/* Before subscribe and after close: as all others. */
static void at_a_wrong_time(void **state)
{
    (void)state;
    for (uint64_t after = 0; after <= 1; ++after) {
        begin(1, 1);
        tiny(1, IPCMARK_INVOKE, 0, 77);
        event(2, IPCMARK_CLOSE_INVOKE);
        event(2, IPCMARK_CLOSE_DONE);
        tiny(2, IPCMARK_RECEIVED, 0, 77);
        journals[2].view.records[journals[2].view.count - 1].time_ns = now - 10 + after;
        outcome(1, 0, IPCMARK_OK);
        if (after) {
            fails(IPCMARK_LATE, "after its close had returned");
        } else {
            passes();
        }
    }
}

CASES_MAIN(CASE(how_many), CASE(in_their_place), CASE(a_surplus_has_no_place), CASE(of_two_threads), CASE(other_bytes),
           CASE(before_it_was_sent), CASE(history_replayed), CASE(from_elsewhere), CASE(at_a_wrong_time))
