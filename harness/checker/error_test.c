/* Runs that were cut off, what the coordinator saw itself, and histories that contradict themselves. */
#include "story.h"

/* A run whose coordinator died says nothing at its end; what it shows may still be wrong. */
static void cut_off(void **state)
{
    (void)state;
    begin(1, 1);
    pass_on(1, 0);
    invoke(1, 1);
    journals[1].view.uncommitted = 1;
    judge(0);
    verdict_is(IPCMARK_INCONCLUSIVE, IPCMARK_CLASS_NONE, "cut off");
    begin(1, 1);
    pass_on(1, 0);
    receive(2, 1, 0);
    judge(0);
    verdict_is(IPCMARK_FAIL, IPCMARK_DUPLICATE, "received message 0");
    begin(1, 1); /* what its end did to those who survived it for a moment is nobody's fault */
    pass_on(1, 0);
    down(2, 1);
    judge(0);
    verdict_is(IPCMARK_INCONCLUSIVE, IPCMARK_CLASS_NONE, "cut off");
}

static void observe_with(enum ipcmark_class class_, uint64_t time_ns, const char *text, enum ipcmark_proof proof)
{
    const struct ipcmark_observation observation = {class_, time_ns, text, proof};
    assert_int_equal(ipcmark_history_add_observation(&history, &observation), 0);
}

static void observe(enum ipcmark_class class_, uint64_t time_ns, const char *text)
{
    observe_with(class_, time_ns, text, IPCMARK_PROOF_OF_CLASS);
}

/* The first violation in time is the one that counts; an error goes before all. */
static void observations(void **state)
{
    (void)state;
    begin(1, 1);
    pass_on(1, 0);
    receive(2, 1, 0);
    observe(IPCMARK_CRASHED, now + 1, "later");
    fails(IPCMARK_DUPLICATE, "received message 0");
    assert_int_equal(judgement.violations, 2);
    begin(1, 1);
    pass_on(1, 0);
    observe(IPCMARK_CRASHED, now, "subscriber 2 died of signal 11");
    receive(2, 1, 0);
    fails(IPCMARK_CRASHED, "subscriber 2 died of signal 11");
    begin(1, 1);
    pass_on(1, 0);
    receive(2, 1, 0);
    observe(IPCMARK_CLASS_NONE, now + 5, "a line that is not JSON");
    is_error("a line that is not JSON");
}

/* What a slow machine brings about by itself can be told from what it cannot. */
static void observations_by_their_proof(void **state)
{
    (void)state;
    for (int proof = IPCMARK_PROOF_OF_CLASS; proof <= IPCMARK_PROOF_FACT; ++proof) {
        begin(1, 1);
        pass_on(1, 0);
        observe_with(IPCMARK_LOST, now, "nothing came", (enum ipcmark_proof)proof);
        observe_with(IPCMARK_LOST, now + 1, "later", IPCMARK_PROOF_OF_CLASS);
        fails(IPCMARK_LOST, "nothing came");
        assert_int_equal(judgement.by_deadline_only, proof == IPCMARK_PROOF_DEADLINE);
        assert_int_equal(judgement.timeless, proof == IPCMARK_PROOF_FACT);
    }
    begin(1, 1); /* an earlier one, that was found later, goes before it */
    pass_on(1, 0);
    observe_with(IPCMARK_LOST, now + 1, "nothing came", IPCMARK_PROOF_DEADLINE);
    observe_with(IPCMARK_DISCONNECT, now, "EBUSY", IPCMARK_PROOF_FACT);
    receive(2, 1, 0);
    fails(IPCMARK_DISCONNECT, "EBUSY");
    assert_true(judgement.timeless && !judgement.by_deadline_only);
}

/* --- Histories that contradict themselves --- */

static void torn_tail(void **state)
{
    (void)state;
    for (int by_kill = 0; by_kill <= 1; ++by_kill) {
        begin(1, 1);
        pass_on(1, 0);
        journals[1].view.uncommitted = 1;
        if (by_kill)
            killed(1);
        drain_all();
        if (by_kill) {
            passes();
        } else {
            is_error("journal 1.0 ends with a torn record");
        }
    }
}

/* At the tick of its INVOKE it can have arrived, earlier it cannot: then a clock or a journal is wrong. */
static void received_before_it_was_invoked(void **state)
{
    (void)state;
    for (uint64_t earlier = 0; earlier <= 1; ++earlier) {
        begin(1, 1);
        send(1, 0);
        receive(2, 1, 0);
        last(2)->time_ns = journals[1].view.records[journals[1].view.count - 2].time_ns - earlier;
        drain_all();
        if (earlier) {
            is_error("before it was invoked");
        } else {
            passes();
        }
    }
}

static void contradictions(void **state)
{
    (void)state;
    begin(1, 1);
    send(1, 0), send(1, 0);
    is_error("invoked 2 messages, numbered 0 to 0");
    begin(1, 1);
    send(1, 0), send(1, 0), send(1, 2);
    is_error("was invoked twice");
    begin(1, 1);
    send(1, 0), send(1, 2);
    is_error("invoked 2 messages, numbered 0 to 2");
    begin(1, 1);
    outcome(1, 0, IPCMARK_OK);
    is_error("has an outcome and was not invoked");
    begin(1, 1);
    send(1, 0);
    last(1)->time_ns -= 11;
    is_error("has an outcome and was not invoked");
    begin(1, 1);
    send(1, 0);
    outcome(1, 0, IPCMARK_UNKNOWN);
    is_error("has two outcomes");
    begin(1, 1);
    send(1, 1), send(1, 0);
    is_error("before the one that precedes it");
    begin(1, 1);
    send(1, 0);
    journals[1].view.records[journals[1].view.count - 2].run = 7;
    is_error("is of another run");
    begin(1, 1);
    write_(2, message(2, IPCMARK_INVOKE, 1, 0));
    is_error("which the history does not put there");
    begin(1, 1);
    write_(1, message(2, IPCMARK_RECEIVED, 1, 0));
    is_error("which the history does not put there");
    begin(1, 1);
    event(9, IPCMARK_OPEN_INVOKE);
    is_error("does not put into process 9");
    begin(1, 1);
    join(1, IPCMARK_SUBSCRIBER, 2, "channel", "directory");
    is_error("names endpoint 1 epoch 1 twice");
}

/* digest: of all messages, or 0 for one by the size; sizes: how many there are, used in turn. */
static void send_looking_away(uint64_t count, uint32_t digest, uint64_t sizes)
{
    begin(1, 1);
    for (uint64_t i = 0; i < count; ++i) {
        struct ipcmark_record record = message(1, IPCMARK_INVOKE, 1, i);
        record.size += i % sizes;
        record.digest = digest != 0 ? digest : (uint32_t)record.size;
        write_(1, record);
        outcome(1, i, IPCMARK_OK);
        record.kind = IPCMARK_RECEIVED, record.endpoint = 2;
        write_(2, record);
    }
}

static void digests_of_nothing(void **state)
{
    (void)state;
    send_looking_away(3, 4711, 1);
    is_error("2 of 3 messages have the digest of another one");
    send_looking_away(20, 4711, 5);
    is_error("15 of 20 messages have the digest of another one");
    send_looking_away(20, 0, 5); /* of the size alone */
    is_error("15 of 20 messages have the digest of another one");
    send_looking_away(10, 0, 6);
    is_error("4 of 10 messages have the digest of another one");
    send_looking_away(2, 4711, 1); /* by chance */
    passes();
    send_looking_away(20, 0, 20); /* nobody can tell */
    passes();
}

CASES_MAIN(CASE(cut_off), CASE(observations), CASE(observations_by_their_proof), CASE(torn_tail),
           CASE(received_before_it_was_invoked), CASE(contradictions), CASE(digests_of_nothing))
