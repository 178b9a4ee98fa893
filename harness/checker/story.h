/* Hand-written histories for the checker's tests, told as they happen:
 *
 *     begin(1, 2);                publisher 1 and subscribers 2 and 3 are open, and reported as connected by name
 *     send(1, 0);                 publisher 1 invokes message 0, and it is OK
 *     receive(2, 1, 0);           subscriber 2 receives message 0 of publisher 1
 *     drain_all();                each subscriber was waited for, in time
 *     passes();
 *
 * Endpoint N lives in process N, epoch 1. Each event takes 10 ns of the story's clock, `now`. */
#ifndef IPCMARK_STORY_H
#define IPCMARK_STORY_H

#include "cases.h"

#include <stdlib.h>

#include "ipcmark/checker.h"

#define RUN       "the run"
#define PROCESSES 12
#define SIZE      64

static struct ipcmark_history history;
static struct ipcmark_expectation expectation;
static struct ipcmark_judgement judgement;
static struct {
    struct ipcmark_journal_view view;
    size_t capacity;
} journals[PROCESSES];
static uint64_t now;
static uint16_t publishers, endpoints;

/* Writes into the journal of a process. */
static inline void write_(unsigned process, struct ipcmark_record record)
{
    struct ipcmark_journal_view *view = &journals[process].view;
    if (view->count == journals[process].capacity) {
        journals[process].capacity = view->count * 2 + 16;
        view->records = realloc(view->records, journals[process].capacity * sizeof *view->records);
        assert_non_null(view->records);
    }
    if (record.time_ns == 0)
        record.time_ns = now += 10;
    view->records[view->count++] = record;
}

/* The record that was written last into a journal, to be changed. */
static inline struct ipcmark_record *last(unsigned process)
{
    return &journals[process].view.records[journals[process].view.count - 1];
}

static inline void event(uint16_t endpoint, enum ipcmark_kind kind)
{
    write_(endpoint, (struct ipcmark_record){.kind = (uint8_t)kind, .endpoint = endpoint, .endpoint_epoch = 1});
}

static inline void join(uint16_t endpoint, enum ipcmark_role role, uint32_t process, const char *channel,
                        const char *directory)
{
    const struct ipcmark_member member = {endpoint, 1, role, process, channel, directory, NULL};
    assert_int_equal(ipcmark_history_add_member(&history, &member), 0);
    if (endpoint > endpoints)
        endpoints = endpoint;
}

static inline void process_add(uint32_t number)
{
    const struct ipcmark_process process = {number, 1000 + (int64_t)number};
    assert_int_equal(ipcmark_history_add_process(&history, &process), 0);
}

static inline void opens(uint16_t endpoint)
{
    event(endpoint, IPCMARK_OPEN_INVOKE);
    event(endpoint, IPCMARK_OPEN_DONE);
}

static inline void closes(uint16_t endpoint)
{
    event(endpoint, IPCMARK_CLOSE_INVOKE);
    event(endpoint, IPCMARK_CLOSE_DONE);
}

/* `who` reports `whom`; 0: a peer without a name. */
static inline void report(uint16_t who, enum ipcmark_kind kind, uint16_t whom)
{
    write_(who, (struct ipcmark_record){.kind = (uint8_t)kind,
                                        .endpoint = who,
                                        .endpoint_epoch = 1,
                                        .publisher = whom == 0 ? IPCMARK_NO_ENDPOINT : whom,
                                        .epoch = whom != 0,
                                        .count = -1});
}

static inline void up(uint16_t who, uint16_t whom)
{
    report(who, IPCMARK_PEER_UP, whom);
}

static inline void down(uint16_t who, uint16_t whom)
{
    report(who, IPCMARK_PEER_DOWN, whom);
}

static inline void counts(uint16_t who, int32_t count)
{
    write_(who, (struct ipcmark_record){.kind = IPCMARK_PEERS, .endpoint = who, .endpoint_epoch = 1, .count = count});
}

/* A message's record, as all intact ones look. */
static inline struct ipcmark_record message(uint16_t who, enum ipcmark_kind kind, uint16_t publisher, uint64_t sequence)
{
    return (struct ipcmark_record){.kind = (uint8_t)kind,
                                   .endpoint = who,
                                   .endpoint_epoch = 1,
                                   .publisher = publisher,
                                   .epoch = 1,
                                   .sequence = sequence,
                                   .size = SIZE,
                                   .parts = 2,
                                   .digest = (uint32_t)(publisher * UINT64_C(1000) + sequence),
                                   .run = ipcmark_payload_name(RUN)};
}

static inline void invoke(uint16_t publisher, uint64_t sequence)
{
    write_(publisher, message(publisher, IPCMARK_INVOKE, publisher, sequence));
}

static inline void outcome(uint16_t publisher, uint64_t sequence, enum ipcmark_kind kind)
{
    write_(publisher, message(publisher, kind, publisher, sequence));
}

static inline void send(uint16_t publisher, uint64_t sequence)
{
    invoke(publisher, sequence);
    outcome(publisher, sequence, IPCMARK_OK);
}

static inline void receive(uint16_t subscriber, uint16_t publisher, uint64_t sequence)
{
    write_(subscriber, message(subscriber, IPCMARK_RECEIVED, publisher, sequence));
}

/* Sent, and received by all subscribers. */
static inline void pass_on(uint16_t publisher, uint64_t sequence)
{
    send(publisher, sequence);
    for (uint16_t subscriber = (uint16_t)(publishers + 1); subscriber <= endpoints; ++subscriber)
        receive(subscriber, publisher, sequence);
}

static inline void fault(enum ipcmark_fault_kind kind, uint32_t process, uint64_t from_ns, uint64_t until_ns)
{
    const struct ipcmark_fault made = {kind, process, from_ns, until_ns};
    assert_int_equal(ipcmark_history_add_fault(&history, &made), 0);
}

static inline void killed(uint32_t process)
{
    now += 10;
    fault(IPCMARK_FAULT_KILL, process, now, now + 5);
    now += 10;
}

/* Stopped and continued at once; what happens up to settle_ns later is put down to it. */
static inline void paused(uint32_t process)
{
    now += 10;
    fault(IPCMARK_FAULT_PAUSE, process, now, now + 5);
    now += 10;
}

static inline void drain(uint16_t subscriber, uint16_t publisher, uint64_t sequence, int reached)
{
    const struct ipcmark_drain waited = {subscriber, 1, publisher, 1, 0, sequence, now, now + 100, reached};
    now += 100;
    assert_int_equal(ipcmark_history_add_drain(&history, &waited), 0);
}

static inline void drain_all(void)
{
    for (uint16_t subscriber = (uint16_t)(publishers + 1); subscriber <= endpoints; ++subscriber)
        for (uint16_t publisher = 1; publisher <= publishers; ++publisher) {
            const struct ipcmark_drain waited = {subscriber,         1,   publisher, 1, IPCMARK_ANY_THREAD,
                                                 IPCMARK_TO_THE_END, now, now + 100, 1};
            assert_int_equal(ipcmark_history_add_drain(&history, &waited), 0);
        }
    now += 100;
}

/* An empty stage. */
static inline void stage(void)
{
    memset(&history, 0, sizeof history);
    memset(journals, 0, sizeof journals);
    now = 1000;
    publishers = endpoints = 0;
    expectation = (struct ipcmark_expectation){RUN, 0, IPCMARK_READY_NAME, 1000, 0, 0, 0, 0};
}

static inline void begin(uint16_t publisher_count, uint16_t subscriber_count)
{
    stage();
    publishers = publisher_count;
    for (uint16_t i = 1; i <= publisher_count + subscriber_count; ++i) {
        process_add(i);
        join(i, i <= publisher_count ? IPCMARK_PUBLISHER : IPCMARK_SUBSCRIBER, i, "channel", "directory");
        opens(i);
    }
    for (uint16_t p = 1; p <= publisher_count; ++p)
        for (uint16_t s = (uint16_t)(publisher_count + 1); s <= endpoints; ++s)
            up(p, s), up(s, p);
}

/* The history stays, for whoever wants to ask it more. */
static inline void judge_first(int complete)
{
    for (uint32_t i = 0; i < PROCESSES; ++i) {
        char name[16];
        snprintf(name, sizeof name, "%u.0", i);
        if (journals[i].view.count > 0 || journals[i].view.uncommitted)
            assert_int_equal(ipcmark_history_add_journal(&history, i, name, &journals[i].view), 0);
    }
    if (complete)
        assert_int_equal(ipcmark_history_set_expectation(&history, &expectation), 0);
    history.ended = complete;
    assert_int_equal(ipcmark_check(&history, &judgement), 0);
}

static inline void judge(int complete)
{
    judge_first(complete);
    ipcmark_history_free(&history);
}

static inline void verdict_is(enum ipcmark_verdict verdict, enum ipcmark_class class_, const char *text)
{
    if (judgement.verdict != verdict || judgement.class_ != class_ || strstr(judgement.text, text) == NULL)
        fail_msg("expected %s %s '%s', got %s %s '%s'", ipcmark_verdict_text(verdict),
                 class_ ? ipcmark_class_text(class_) : "", text, ipcmark_verdict_text(judgement.verdict),
                 judgement.class_ ? ipcmark_class_text(judgement.class_) : "", judgement.text);
}

#define passes()            judge(1), verdict_is(IPCMARK_PASS, IPCMARK_CLASS_NONE, "")
#define fails(class_, text) judge(1), verdict_is(IPCMARK_FAIL, class_, text)
#define is_unknown(text)    judge(1), verdict_is(IPCMARK_INCONCLUSIVE, IPCMARK_CLASS_NONE, text)
#define is_error(text)      judge(1), verdict_is(IPCMARK_ERROR, judgement.class_, text)

#endif
