/* Trials over a driver that does what it should, or fails as it was told to. */
#include "stage.h"

#include "ipcmark/checker.h"
#include "ipcmark/histogram.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static uint16_t publisher, subscriber;

static void connect_pair(ipcmark_participant *from, ipcmark_participant *to)
{
    stage_done(ipcmark_open_subscriber(to, &subscriber, NULL));
    stage_done(ipcmark_open_publisher(from, &publisher, NULL));
    stage_done(ipcmark_wait_peers(trial, publisher, 1, 0));
}

static struct ipcmark_judgement judge(void)
{
    struct ipcmark_history history = {0};
    struct ipcmark_judgement judgement;
    char problem[256] = "";
    ipcmark_trial_stop(trial);
    if (ipcmark_history_load(&history, ipcmark_trial_directory(trial), problem, sizeof problem) < 0)
        fail_msg("%s", problem);
    assert_int_equal(ipcmark_check(&history, &judgement), 0);
    ipcmark_history_free(&history);
    return judgement;
}

static void messages_arrive_and_are_judged(void **state)
{
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    connect_pair(stage_start(), stage_start());
    static const size_t sizes[] = {64, 1000, 5000};
    ipcmark_publish_options options = {.count = 300, .sizes = sizes, .sizes_count = 3};
    ipcmark_call *call = ipcmark_publish(trial, publisher, &options);
    stage_done(call);
    assert_int_equal(ipcmark_reply_count(call, "published"), 300);
    stage_done(ipcmark_sentinel(trial, publisher));
    stage_done(ipcmark_drain(trial, subscriber, &publisher, 1, 0));
    stage_no_troubles();
    struct ipcmark_judgement judgement = judge();
    if (judgement.verdict != IPCMARK_PASS)
        fail_msg("%s: %s", ipcmark_verdict_text(judgement.verdict), judgement.text);
    assert_int_equal(judgement.must, 301);
    assert_int_equal(judgement.received, 301);
    stage_close();
}

static void calls_of_several_go_on_at_the_same_time(void **state)
{
    ipcmark_call *calls[4];
    uint16_t publishers[4];
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    stage_done(ipcmark_open_subscriber(stage_start(), &subscriber, NULL));
    for (int i = 0; i < 4; ++i)
        stage_done(ipcmark_open_publisher(stage_start(), &publishers[i], NULL));
    ipcmark_publish_options options = {.count = 100, .rate = 1000, .start_at_ns = ipcmark_now_ns() + 100000000};
    for (int i = 0; i < 4; ++i)
        calls[i] = ipcmark_publish(trial, publishers[i], &options);
    for (int i = 0; i < 4; ++i) {
        stage_done(calls[i]);
        assert_true(ipcmark_reply_number(calls[i], "first_ns", 0) >= (double)options.start_at_ns);
        /* 100 messages at 1000 a second take 99 ms, however quick publish is. */
        assert_true(ipcmark_reply_number(calls[i], "last_ns", 0) - (double)options.start_at_ns >= 99e6);
    }
    stage_done(ipcmark_drain(trial, subscriber, publishers, 4, 0));
    stage_no_troubles();
    stage_close();
}

static void others_are_answered_while_one_waits(void **state)
{
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    ipcmark_participant *both = stage_start();
    connect_pair(both, both);
    ipcmark_call *waiting = ipcmark_wait_peers(trial, publisher, 2, 1);
    stage_done(ipcmark_peers(trial, publisher));
    assert_int_equal(waiting->status, IPCMARK_PENDING);
    assert_int_equal(ipcmark_await(waiting), IPCMARK_REFUSED);
    assert_string_equal(waiting->code, "ETIMEDOUT");
    stage_no_troubles();
    stage_close();
}

static void a_definite_failure_is_no_trouble(void **state)
{
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER "?refuse=1", NULL);
    stage_done(ipcmark_open_publisher(stage_start(), &publisher, NULL));
    ipcmark_call *call = ipcmark_publish(trial, publisher, NULL);
    stage_done(call);
    assert_int_equal(ipcmark_reply_count(call, "failed"), 1);
    stage_no_troubles();
    stage_close();
}

static void a_crash_is_a_trouble_with_its_reason(void **state)
{
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER "?crash_at=2", NULL);
    connect_pair(stage_start(), stage_start());
    ipcmark_publish_options options = {.count = 5};
    assert_int_equal(ipcmark_await(ipcmark_publish(trial, publisher, &options)), IPCMARK_GONE);
    assert_int_equal(ipcmark_trial_troubles(trial), 1);
    assert_int_equal(ipcmark_trial_trouble(trial, 0)->class_, IPCMARK_CRASHED);
    assert_non_null(strstr(ipcmark_trial_trouble(trial, 0)->text, "Aborted"));
    /* The other one goes on. */
    stage_done(ipcmark_stats(trial, subscriber, 0, false));
    assert_int_equal(judge().class_, IPCMARK_CRASHED);
    stage_close();
}

/* It was to be killed by SIGKILL, not by itself. */
static void a_crash_before_the_declared_kill_is_a_trouble(void **state)
{
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER "?crash_at=2", NULL);
    connect_pair(stage_start(), stage_start());
    ipcmark_publish_options options = {.count = 5, .kill_self_at = 3};
    assert_int_equal(ipcmark_await(ipcmark_publish(trial, publisher, &options)), IPCMARK_GONE);
    assert_int_equal(ipcmark_trial_troubles(trial), 1);
    assert_int_equal(ipcmark_trial_trouble(trial, 0)->class_, IPCMARK_CRASHED);
    assert_non_null(strstr(ipcmark_trial_trouble(trial, 0)->text, "Aborted"));
    stage_close();
}

static void a_declared_kill_that_did_not_come_excuses_no_later_one(void **state)
{
    int status;
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    ipcmark_participant *survivor = stage_start();
    connect_pair(survivor, stage_start());
    ipcmark_publish_options options = {.count = 5, .kill_self_at = 6};
    ipcmark_call *call = ipcmark_publish(trial, publisher, &options);
    stage_done(call);
    assert_int_equal(ipcmark_reply_count(call, "published"), 5);
    assert_int_equal(kill(ipcmark_participant_pid(survivor), SIGKILL), 0); /* by nobody who has declared it */
    assert_int_equal(ipcmark_await_exit(survivor, &status), 0);
    assert_int_equal(ipcmark_trial_troubles(trial), 1);
    assert_int_equal(ipcmark_trial_trouble(trial, 0)->class_, IPCMARK_CRASHED);
    stage_close();
}

static void a_hang_is_a_trouble_and_ends_by_the_deadline(void **state)
{
    (void)state;
    stage_deadline_seconds = 2; /* its stop will miss it, too */
    stage_open(IPCMARK_TEST_DRIVER "?hang_at=2", NULL);
    connect_pair(stage_start(), stage_start());
    ipcmark_publish_options options = {.count = 5, .deadline_seconds = 0.3};
    assert_int_equal(ipcmark_await(ipcmark_publish(trial, publisher, &options)), IPCMARK_OVERDUE);
    assert_int_equal(ipcmark_trial_troubles(trial), 1);
    assert_int_equal(ipcmark_trial_trouble(trial, 0)->class_, IPCMARK_HUNG);
    ipcmark_trial_stop(trial);
    stage_close();
}

static void a_killed_one_is_expected_to_die(void **state)
{
    int status;
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    ipcmark_participant *victim = stage_start();
    connect_pair(stage_start(), victim);
    assert_int_equal(ipcmark_kill(victim), 0);
    assert_int_equal(ipcmark_await_exit(victim, &status), 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(ipcmark_await(ipcmark_request(victim, "stats", NULL, 0)), IPCMARK_GONE);
    assert_int_equal(ipcmark_trial_troubles(trial), 0);
    ipcmark_trial_stop(trial); /* the victim's socket is left, which is excused */
    assert_int_equal(ipcmark_trial_troubles(trial), 0);
    assert_non_null(strstr(ipcmark_trial_leftovers(trial), "files/"));
    stage_close();
}

/* Or a trial that goes on for long could not restart participants for ever. */
static void the_dead_hold_no_descriptors(void **state)
{
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    const int before = cases_count_entries("/proc/self/fd") + 1; /* the loop's own, from its first process on */
    for (int i = 0; i < 3; ++i) {
        ipcmark_participant *victim = stage_start();
        assert_true(cases_count_entries("/proc/self/fd") > before);
        assert_int_equal(ipcmark_kill(victim), 0);
        assert_int_equal(ipcmark_await_exit(victim, NULL), 0);
    }
    for (int patience = 0; patience < 1000 && cases_count_entries("/proc/self/fd") > before; ++patience)
        assert_true(ipcmark_wait(trial, 10)); /* its stderr may end a moment later */
    assert_true(cases_count_entries("/proc/self/fd") <= before);
    stage_no_troubles();
    stage_close();
}

static void a_paused_one_does_not_answer_until_resumed(void **state)
{
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    ipcmark_participant *sleeper = stage_start();
    stage_done(ipcmark_open_subscriber(sleeper, &subscriber, NULL));
    assert_int_equal(ipcmark_pause(sleeper), 0);
    ipcmark_call *call = ipcmark_stats(trial, subscriber, 0, false);
    assert_true(ipcmark_wait(trial, 100));
    assert_int_equal(call->status, IPCMARK_PENDING);
    assert_int_equal(ipcmark_resume(sleeper), 0);
    stage_done(call);
    assert_int_equal(ipcmark_pause(sleeper), 0); /* and again: the first stop must not be taken for the second */
    stage_no_troubles();
    stage_close();
}

/* Others may lose it while it is stopped: its death does not undo that. */
static void a_pause_that_death_ends_is_recorded(void **state)
{
    struct ipcmark_history history = {0};
    char problem[256];
    uint64_t paused = 0, killed = 0;
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    ipcmark_participant *sleeper = stage_start();
    stage_done(ipcmark_open_subscriber(sleeper, &subscriber, NULL));
    assert_int_equal(ipcmark_pause(sleeper), 0);
    assert_int_equal(ipcmark_kill(sleeper), 0);
    assert_int_equal(ipcmark_await_exit(sleeper, NULL), 0);
    ipcmark_trial_stop(trial);
    if (ipcmark_history_load(&history, ipcmark_trial_directory(trial), problem, sizeof problem) < 0)
        fail_msg("%s", problem);
    for (size_t i = 0; i < history.fault_count; ++i) {
        const struct ipcmark_fault *fault = &history.faults[i];
        assert_true(fault->from_ns > 0 && fault->from_ns <= fault->until_ns);
        paused = fault->kind == IPCMARK_FAULT_PAUSE ? fault->until_ns : paused;
        killed = fault->kind == IPCMARK_FAULT_KILL ? fault->from_ns : killed;
    }
    assert_true(killed > 0);
    assert_true(paused >= killed);
    ipcmark_history_free(&history);
    stage_close();
}

static void what_is_left_is_found(void **state)
{
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER "?leave_file=1&leave_process=1", NULL);
    stage_done(ipcmark_open_subscriber(stage_start(), &subscriber, NULL));
    int left = ipcmark_trial_stop(trial);
    if (left != 2)
        fail_msg("%d are left:\n%s", left, ipcmark_trial_leftovers(trial));
    assert_non_null(strstr(ipcmark_trial_leftovers(trial), "(sleep)"));
    assert_non_null(strstr(ipcmark_trial_leftovers(trial), "files/left"));
    assert_int_equal(ipcmark_trial_trouble(trial, 0)->class_, IPCMARK_LEFTOVER);
    stage_close();
}

/* Of the journals: how often message n of the publisher was invoked, and how often it has an outcome. */
static void count_records(uint64_t sequence, int *invokes, int *outcomes)
{
    struct ipcmark_history history = {0};
    char problem[256] = "";
    *invokes = *outcomes = 0;
    if (ipcmark_history_load(&history, ipcmark_trial_directory(trial), problem, sizeof problem) < 0)
        fail_msg("%s", problem);
    for (size_t i = 0; i < history.journal_count; ++i)
        for (size_t k = 0; k < history.journals[i].view.count; ++k) {
            const struct ipcmark_record *record = &history.journals[i].view.records[k];
            if (record->sequence != sequence || record->publisher != publisher)
                continue;
            *invokes += record->kind == IPCMARK_INVOKE;
            *outcomes +=
                record->kind == IPCMARK_OK || record->kind == IPCMARK_FAILED || record->kind == IPCMARK_UNKNOWN;
        }
    ipcmark_history_free(&history);
}

static void a_suicide_comes_between_invoke_and_outcome(void **state)
{
    static const ipcmark_moment moments[] = {IPCMARK_BEFORE, IPCMARK_INSIDE, IPCMARK_AFTER};
    (void)state;
    for (int i = 0; i < 3; ++i) {
        int invokes, outcomes;
        stage_open(IPCMARK_TEST_DRIVER, NULL);
        connect_pair(stage_start(), stage_start());
        static const size_t size = 60000;
        ipcmark_publish_options options = {.count = 100, .sizes = &size, .sizes_count = 1, .kill_self_at = 10};
        options.kill_self_moment = moments[i];
        ipcmark_call *call = ipcmark_publish(trial, publisher, &options);
        assert_int_equal(ipcmark_await(call), IPCMARK_GONE);
        count_records(9, &invokes, &outcomes);
        assert_int_equal(invokes, 1);
        assert_int_equal(outcomes, 1);
        count_records(10, &invokes, &outcomes);
        assert_int_equal(invokes, 1);
        assert_int_equal(outcomes, 0);
        count_records(11, &invokes, &outcomes);
        assert_int_equal(invokes, 0);
        /* What the dead one was told is OK arrives all the same. */
        stage_done(ipcmark_drain(trial, subscriber, &publisher, 1, 0));
        assert_int_equal(ipcmark_trial_troubles(trial), 0);
        struct ipcmark_judgement judgement = judge();
        if (judgement.verdict != IPCMARK_PASS)
            fail_msg("%s: %s", ipcmark_verdict_text(judgement.verdict), judgement.text);
        assert_int_equal(judgement.kills_inside, 1);
        stage_close();
    }
}

static void benchmarks_count_without_a_journal(void **state)
{
    (void)state;
    ipcmark_trial_options trial_options = {.seed = 1, .no_journal = true};
    trial_options.target.driver = IPCMARK_TEST_DRIVER;
    assert_int_equal(ipcmark_session_open(&session), 0);
    assert_int_equal(ipcmark_trial_open(&trial, session, &trial_options), 0);
    connect_pair(stage_start(), stage_start());
    ipcmark_publish_options options = {.count = 1000, .rate = 5000};
    ipcmark_call *sent = ipcmark_publish(trial, publisher, &options);
    stage_done(sent);
    stage_done(ipcmark_drain(trial, subscriber, &publisher, 1, 0));
    ipcmark_call *stats = ipcmark_stats(trial, subscriber, 0, true);
    stage_done(stats);
    assert_int_equal(ipcmark_reply_count(stats, "received"), 1000);
    assert_int_equal(ipcmark_reply_count(stats, "bytes"), 64000);
    assert_int_equal(ipcmark_reply_count(stats, "lost"), 0);
    assert_int_equal(ipcmark_reply_count(stats, "torn"), 0);
    struct ipcmark_histogram *histogram;
    assert_int_equal(ipcmark_histogram_new(&histogram), 0);
    cJSON *json = cJSON_GetObjectItemCaseSensitive(stats->reply, "histogram");
    assert_int_equal(ipcmark_histogram_add_json(histogram, json), 0);
    assert_int_equal(histogram->total, 1000);
    ipcmark_histogram_free(histogram);
    assert_true(ipcmark_reply_number(sent, "achieved_rate", 0) > 0 &&
                ipcmark_reply_number(sent, "achieved_rate", 0) < 5100);
    stats = ipcmark_stats(trial, subscriber, 0, false);
    stage_done(stats);
    assert_int_equal(ipcmark_reply_count(stats, "received"), 0);
    stage_no_troubles();
    stage_close();
}

static double arrived(uint64_t to_ns)
{
    ipcmark_call *stats = ipcmark_stats(trial, subscriber, to_ns, false);
    stage_done(stats);
    ipcmark_call window = {.reply = cJSON_GetObjectItemCaseSensitive(stats->reply, "window")};
    assert_true(ipcmark_reply_number(&window, "bytes", -1) == 64 * ipcmark_reply_number(&window, "messages", -1));
    return ipcmark_reply_number(&window, "messages", -1);
}

/* No message of the window is left out, and none is in it that is not. */
static void windows_hold_what_arrived_in_them(void **state)
{
    ipcmark_publish_options options = {.count = 400};
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    connect_pair(stage_start(), stage_start());
    uint64_t before = ipcmark_now_ns();
    stage_done(ipcmark_publish(trial, publisher, &options));
    stage_done(ipcmark_drain(trial, subscriber, &publisher, 1, 0));
    uint64_t between = ipcmark_now_ns();
    stage_done(ipcmark_publish(trial, publisher, &options));
    stage_done(ipcmark_drain(trial, subscriber, &publisher, 1, 0));
    assert_true(arrived(before) == 0 && arrived(between) == 400);
    assert_true(arrived(ipcmark_now_ns()) == 800 && arrived(0) == 800);
    stage_no_troubles();
    stage_close();
}

static void ping_measures_round_trips(void **state)
{
    uint16_t there, back, echo_in, echo_out;
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    ipcmark_participant *caller = stage_start(), *echo = stage_start();
    ipcmark_endpoint_options pong = {.channel = "pong"};
    stage_done(ipcmark_open_subscriber(echo, &echo_in, NULL));
    stage_done(ipcmark_open_publisher(echo, &echo_out, &pong));
    stage_done(ipcmark_open_subscriber(caller, &back, &pong));
    stage_done(ipcmark_open_publisher(caller, &there, NULL));
    ipcmark_handler_options handler = {.reply = echo_out};
    stage_done(ipcmark_handler(trial, echo_in, &handler));
    ipcmark_call *call = ipcmark_ping(trial, there, back, 100, 64);
    stage_done(call);
    assert_int_equal(ipcmark_reply_count(call, "count"), 100);
    assert_non_null(cJSON_GetObjectItemCaseSensitive(call->reply, "histogram"));
    stage_no_troubles();
    stage_close();
}

/* Nothing is under way but the timer itself. */
static void waiting_ends(void **state)
{
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    stage_start();
    for (int i = 0; i < 100; ++i)
        assert_true(ipcmark_wait(trial, 0));
    uint64_t start = ipcmark_now_ns();
    assert_true(ipcmark_wait(trial, 50));
    assert_true(ipcmark_now_ns() - start >= 49000000);
    stage_no_troubles();
    stage_close();
}

static void evidence_is_kept_where_asked(void **state)
{
    char parent[] = "/tmp/ipcmark-evidence-XXXXXX", keep[64], path[128];
    (void)state;
    assert_non_null(mkdtemp(parent));
    snprintf(keep, sizeof keep, "%s/case", parent);
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    stage_done(ipcmark_open_publisher(stage_start(), &publisher, NULL));
    ipcmark_trial_stop(trial);
    assert_int_equal(ipcmark_trial_close(trial, keep), 0);
    ipcmark_session_close(session);
    snprintf(path, sizeof path, "%s/history.jsonl", keep);
    assert_int_equal(access(path, R_OK), 0);
    snprintf(path, sizeof path, "rm -rf %s", parent);
    assert_int_equal(system(path), 0);
}

static void a_driver_that_is_not_there_is_said_so(void **state)
{
    ipcmark_implementation implementation;
    ipcmark_target target = {.driver = "nosuch"};
    (void)state;
    assert_int_equal(ipcmark_session_open(&session), 0);
    assert_int_equal(ipcmark_probe(session, &target, &implementation), -ENOENT);
    assert_non_null(strstr(ipcmark_session_text(session), "no driver 'nosuch'"));
    target.driver = "/bin/true";
    assert_true(ipcmark_probe(session, &target, &implementation) < 0);
    assert_non_null(strstr(ipcmark_session_text(session), "cannot be loaded"));
    target.driver = IPCMARK_TEST_DRIVER;
    assert_int_equal(ipcmark_probe(session, &target, &implementation), 0);
    assert_string_equal(implementation.name, "dgram");
    assert_true(implementation.capabilities & IPCMARK_CAP_PEERS);
    assert_int_equal(implementation.max_message_bytes, 131072);
    ipcmark_session_close(session);
}

/* It is our only child here. */
static pid_t find_guard(void)
{
    int pid = 0;
    FILE *children = fopen("/proc/thread-self/children", "re");
    assert_non_null(children);
    assert_int_equal(fscanf(children, "%d", &pid), 1);
    fclose(children);
    return pid;
}

/* By a caller that waits for any child. How it ended nobody knows then; that it did must not be waited for in vain. */
static void one_that_somebody_else_has_reaped_has_ended(void **state)
{
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    ipcmark_participant *participant = stage_start();
    const pid_t pid = ipcmark_participant_pid(participant);
    assert_false(ipcmark_participant_ended(participant));
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(ipcmark_participant_ended(participant));
    assert_int_equal(ipcmark_await_exit(participant, NULL), 0);
    ipcmark_trial_stop(trial);
    stage_close();
}

static void without_the_guard_nothing_begins(void **state)
{
    static const int numbers[] = {SIGSTOP, SIGKILL};
    ipcmark_trial_options options = {.target.driver = IPCMARK_TEST_DRIVER};
    (void)state;
    for (int i = 0; i < 2; ++i) {
        assert_int_equal(ipcmark_session_open(&session), 0);
        double scale = ipcmark_session_scale(session);
        assert_int_equal(kill(find_guard(), numbers[i]), 0);
        uint64_t start = ipcmark_now_ns();
        assert_true(ipcmark_session_calibrate(session) < 0);
        assert_true(ipcmark_now_ns() - start < 10000000000u);
        assert_true(ipcmark_session_scale(session) <= scale && ipcmark_session_scale(session) >= scale);
        assert_true(ipcmark_trial_open(&trial, session, &options) < 0);
        assert_non_null(strstr(ipcmark_session_text(session), "the guard is gone"));
        ipcmark_session_close(session);
    }
}

CASES_MAIN(CASE(messages_arrive_and_are_judged), CASE(calls_of_several_go_on_at_the_same_time),
           CASE(others_are_answered_while_one_waits), CASE(a_definite_failure_is_no_trouble),
           CASE(a_crash_is_a_trouble_with_its_reason), CASE(a_crash_before_the_declared_kill_is_a_trouble),
           CASE(a_declared_kill_that_did_not_come_excuses_no_later_one),
           CASE(a_hang_is_a_trouble_and_ends_by_the_deadline), CASE(a_killed_one_is_expected_to_die),
           CASE(the_dead_hold_no_descriptors), CASE(a_paused_one_does_not_answer_until_resumed),
           CASE(a_pause_that_death_ends_is_recorded), CASE(what_is_left_is_found),
           CASE(a_suicide_comes_between_invoke_and_outcome), CASE(benchmarks_count_without_a_journal),
           CASE(windows_hold_what_arrived_in_them), CASE(ping_measures_round_trips), CASE(waiting_ends),
           CASE(evidence_is_kept_where_asked), CASE(a_driver_that_is_not_there_is_said_so),
           CASE(one_that_somebody_else_has_reaped_has_ended), CASE(without_the_guard_nothing_begins))
