/* What is told about a violation. */
#include "story.h"

enum { MILLISECOND = 1000000 };

/* So much later. */
static void later(uint64_t milliseconds)
{
    now += milliseconds * MILLISECOND;
}

/* Endpoints 1 and 2 by their names, as the coordinator logs them; times since `now`. */
static void begin_named(uint16_t subscribers)
{
    begin(1, subscribers);
    for (size_t i = 0; i < history.member_count; ++i) {
        char name[40];
        snprintf(name, sizeof name, "%s %zu", i == 0 ? "publisher" : "subscriber", i == 0 ? 1 : i);
        history.members[i].name = strdup(name);
        assert_non_null(history.members[i].name);
    }
    now = 100 * MILLISECOND;
    expectation.origin_ns = now;
}

static void told(size_t lines, const char *expected)
{
    char *text;
    judge_first(1);
    text = ipcmark_timeline(&history, &judgement, lines);
    ipcmark_history_free(&history);
    assert_non_null(text);
    if (strcmp(text, expected) != 0) {
        fprintf(stderr, "expected\n%sgot\n%s", expected, text); /* longer than what cmocka prints */
        fail();
    }
    free(text);
}

/* Message 3 of 6 is lost to subscriber 1, which was paused for it; subscriber 2 has nothing to do with it. */
static void lost_story(void)
{
    begin_named(2);
    for (uint64_t i = 0; i < 7; ++i) {
        later(10);
        send(1, i);
        later(1);
        if (i != 3)
            receive(2, 1, i);
        receive(3, 1, i);
        if (i == 2)
            fault(IPCMARK_FAULT_PAUSE, 2, now + 2 * MILLISECOND, now + 4 * MILLISECOND);
        if (i == 4)
            up(3, 1);
        if (i < 2)
            counts(1, 2); /* that it says so again is nothing new */
    }
    drain_all();
    history.schedule = strdup("  0.0350 s  stop subscriber 1\nnot a line\n  0.0430 s  just then\n  0.0570 s  soon "
                              "after\n  0.0770 s  traffic has ended\n  1.0 s  far\n");
}

static void a_lost_message(void **state)
{
    (void)state;
    lost_story();
    told(IPCMARK_TIMELINE_LINES,
         "     -0.099999 s  subscriber 1 is told that publisher 1 is connected\n"
         "     +0.011000 s  publisher 1 counts 2 peers\n"
         "     +0.032000 s  publisher 1 publishes message 2 (thread 0, 64 bytes in 2 parts): OK after 0.0 µs\n"
         "     +0.033000 s  subscriber 1 receives message 2 of publisher 1 (thread 0, 64 bytes in 2 parts)\n"
         "     +0.035000 s  the play: stop subscriber 1\n"
         "     +0.035000 s  subscriber 1 is stopped\n"
         "     +0.037000 s  subscriber 1 goes on\n"
         "     +0.043000 s  the play: just then\n"
         ">    +0.043000 s  publisher 1 publishes message 3 (thread 0, 64 bytes in 2 parts): OK after 0.0 µs\n"
         "     +0.054000 s  publisher 1 publishes message 4 (thread 0, 64 bytes in 2 parts): OK after 0.0 µs\n"
         ">    +0.055000 s  subscriber 1 receives message 4 of publisher 1 (thread 0, 64 bytes in 2 parts)\n"
         ">    +0.055000 s  here it shows: lost\n"
         "     +0.057000 s  the play: soon after\n"
         "     +0.077000 s  the play: traffic has ended\n"
         "     +0.077000 s  subscriber 1 has everything of publisher 1 up to its last message\n");
}

/* The nearest are told where there is no room for all, and what the violation is in any case. */
static void few_lines(void **state)
{
    (void)state;
    lost_story();
    told(3, ">    +0.043000 s  publisher 1 publishes message 3 (thread 0, 64 bytes in 2 parts): OK after 0.0 µs\n"
            ">    +0.055000 s  subscriber 1 receives message 4 of publisher 1 (thread 0, 64 bytes in 2 parts)\n"
            ">    +0.055000 s  here it shows: lost\n");
    lost_story();
    told(8, "     +0.032000 s  publisher 1 publishes message 2 (thread 0, 64 bytes in 2 parts): OK after 0.0 µs\n"
            "     +0.033000 s  subscriber 1 receives message 2 of publisher 1 (thread 0, 64 bytes in 2 parts)\n"
            "     +0.037000 s  subscriber 1 goes on\n"
            "     +0.043000 s  the play: just then\n"
            ">    +0.043000 s  publisher 1 publishes message 3 (thread 0, 64 bytes in 2 parts): OK after 0.0 µs\n"
            "     +0.054000 s  publisher 1 publishes message 4 (thread 0, 64 bytes in 2 parts): OK after 0.0 µs\n"
            ">    +0.055000 s  subscriber 1 receives message 4 of publisher 1 (thread 0, 64 bytes in 2 parts)\n"
            ">    +0.055000 s  here it shows: lost\n");
}

/* Nobody is concerned in particular: what happened to anybody is told. */
static void a_crash(void **state)
{
    const struct ipcmark_observation crash = {
        .class_ = IPCMARK_CRASHED, .time_ns = 130 * MILLISECOND, .text = "s1.1 was killed by signal 11"};
    (void)state;
    begin_named(1);
    later(10);
    pass_on(1, 0);
    now = 129 * MILLISECOND;
    killed(2);
    assert_int_equal(ipcmark_history_add_observation(&history, &crash), 0);
    later(20);
    down(1, 2);
    told(5, "     +0.029000 s  subscriber 1 is killed, or may be from now on\n"
            "     +0.029000 s  subscriber 1 is dead\n"
            "     +0.030000 s  seen: s1.1 was killed by signal 11\n"
            ">    +0.030000 s  here it shows: crashed\n"
            "     +0.049000 s  publisher 1 is told that subscriber 1 is disconnected\n");
}

/* A later life and a thread are said. */
static void a_duplicate_of_a_thread(void **state)
{
    struct ipcmark_record *records;
    (void)state;
    begin_named(1);
    later(1);
    send(1, 0);
    later(1);
    receive(2, 1, 0);
    later(1);
    receive(2, 1, 0);
    later(1);
    send(1, 1); /* of another thread: see below */
    for (unsigned process = 1; process <= 2; ++process) {
        records = journals[process].view.records;
        for (size_t i = 0; i < journals[process].view.count; ++i) {
            if (records[i].endpoint == 1)
                records[i].endpoint_epoch = 2;
            if (records[i].publisher == 1 && records[i].kind != IPCMARK_PEER_UP)
                records[i].epoch = 2, records[i].thread = records[i].sequence == 0 ? 5 : 6, records[i].sequence = 0;
        }
    }
    history.members[0].epoch = 2;
    told(
        4,
        ">    +0.001000 s  publisher 1 (epoch 2) publishes message 0 (thread 5, 64 bytes in 2 parts): OK after 0.0 µs\n"
        ">    +0.002000 s  subscriber 1 receives message 0 of publisher 1 (epoch 2) (thread 5, 64 bytes in 2 parts)\n"
        ">    +0.003000 s  subscriber 1 receives message 0 of publisher 1 (epoch 2) (thread 5, 64 bytes in 2 parts)\n"
        ">    +0.003000 s  here it shows: duplicate\n");
}

static void nothing_to_tell(void **state)
{
    (void)state;
    begin_named(1);
    pass_on(1, 0);
    drain_all();
    told(15, "");
}

CASES_MAIN(CASE(a_lost_message), CASE(few_lines), CASE(a_crash), CASE(a_duplicate_of_a_thread), CASE(nothing_to_tell))
