/* Agents that misbehave: each gives its own error, and none stops the run. */
#include "stage.h"

#include <signal.h>
#include <stdlib.h>

static const char *agent_command(const char *mode)
{
    static char command[512];
    snprintf(command, sizeof command, "%s %s", IPCMARK_TEST_ROGUE, mode);
    return command;
}

static void expect_trouble(enum ipcmark_class class_, const char *words)
{
    assert_int_equal(ipcmark_trial_troubles(trial), 1);
    const ipcmark_trouble *trouble = ipcmark_trial_trouble(trial, 0);
    if (trouble->class_ != class_ || strstr(trouble->text, words) == NULL)
        fail_msg("class %d, not %d, or without '%s': %s", trouble->class_, class_, words, trouble->text);
}

/* It does not even get through hello. */
static void expect_bad_start(const char *mode, enum ipcmark_class class_, const char *words)
{
    stage_open(NULL, agent_command(mode));
    assert_null(ipcmark_participant_start(trial, NULL));
    expect_trouble(class_, words);
    assert_string_equal(ipcmark_session_text(session), ipcmark_trial_trouble(trial, 0)->text);
    ipcmark_trial_stop(trial);
    stage_close();
}

static void the_silent_one_is_given_up(void **state)
{
    (void)state;
    stage_deadline_seconds = 1;
    expect_bad_start("silent", IPCMARK_HUNG, "did not answer \"hello\" within");
}

static void those_that_end_at_once_have_crashed(void **state)
{
    (void)state;
    expect_bad_start("exits", IPCMARK_CRASHED, "exited with status 7");
    expect_bad_start("dies", IPCMARK_CRASHED, "signal 11");
    expect_bad_start("stderr", IPCMARK_CRASHED, "the reason why");
}

static void those_that_flood_are_stopped(void **state)
{
    (void)state;
    stage_deadline_seconds = 600; /* what stops them is how much they say, and never a deadline */
    expect_bad_start("endless_line", IPCMARK_CLASS_NONE, "longer than a mebibyte");
}

static void one_that_floods_later_is_stopped(void **state)
{
    uint16_t endpoint;
    (void)state;
    stage_deadline_seconds = 600;
    stage_open(NULL, agent_command("late_flood"));
    stage_done(ipcmark_open_publisher(stage_start(), &endpoint, NULL));
    assert_int_equal(ipcmark_await(ipcmark_peers(trial, endpoint)), IPCMARK_GARBLED);
    expect_trouble(IPCMARK_CLASS_NONE, "floods");
    ipcmark_trial_stop(trial);
    stage_close();
}

static void what_is_not_protocol_is_shown(void **state)
{
    (void)state;
    expect_bad_start("garbage", IPCMARK_CLASS_NONE, "not JSON: Hello, I am an agent!");
    expect_bad_start("number", IPCMARK_CLASS_NONE, "object: 42");
    expect_bad_start("bad_event", IPCMARK_CLASS_NONE, "lunch");
    expect_bad_start("early_event", IPCMARK_CLASS_NONE, "not asked to open");
    expect_bad_start("fatal", IPCMARK_CLASS_NONE, "no coffee");
    expect_bad_start("nobody_asked", IPCMARK_CLASS_NONE, "not made");
    expect_bad_start("no_impl", IPCMARK_CLASS_NONE, "\"impl\" is missing");
    expect_bad_start("both", IPCMARK_CLASS_NONE, "either");
    expect_bad_start("twice", IPCMARK_CLASS_NONE, "second time");
}

static void liars_are_caught(void **state)
{
    (void)state;
    expect_bad_start("says_yes", IPCMARK_CLASS_NONE, "not_supported");
    expect_bad_start("misspelt", IPCMARK_CLASS_NONE, "multiparts");
}

static void a_wrong_reply_later_ends_it(void **state)
{
    uint16_t endpoint;
    (void)state;
    stage_open(NULL, agent_command("wrong_count"));
    stage_done(ipcmark_open_publisher(stage_start(), &endpoint, NULL));
    ipcmark_call *call = ipcmark_peers(trial, endpoint);
    assert_int_equal(ipcmark_await(call), IPCMARK_GARBLED);
    assert_non_null(strstr(call->text, "\"count\":-1"));
    expect_trouble(IPCMARK_CLASS_NONE, "whole number");
    ipcmark_trial_stop(trial);
    stage_close();
}

static void leaving_early_is_a_crash(void **state)
{
    uint16_t endpoint;
    (void)state;
    stage_open(NULL, agent_command("leaves_early"));
    stage_done(ipcmark_open_publisher(stage_start(), &endpoint, NULL));
    assert_int_equal(ipcmark_await(ipcmark_peers(trial, endpoint)), IPCMARK_GONE);
    expect_trouble(IPCMARK_CRASHED, "exited with status 0");
    ipcmark_trial_stop(trial);
    stage_close();
}

static void who_does_not_stop_is_killed(void **state)
{
    int status;
    (void)state;
    stage_deadline_seconds = 2; /* to be missed by its stop, and not by its start */
    stage_open(NULL, agent_command("ignores_stop"));
    ipcmark_participant *participant = stage_start();
    ipcmark_trial_stop(trial);
    expect_trouble(IPCMARK_HUNG, "\"stop\"");
    assert_int_equal(ipcmark_await_exit(participant, &status), 0);
    assert_int_equal(status, SIGKILL);
    stage_close();
}

static void the_well_behaved_mode_is_no_trouble(void **state)
{
    (void)state;
    stage_open(NULL, agent_command("none"));
    stage_start();
    stage_no_troubles();
    stage_close();
}

/* The first bytes of a file of the participant in /proc. */
static const char *read_of(ipcmark_participant *who, const char *what)
{
    static char text[4096];
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", ipcmark_participant_pid(who), what);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = '\0';
    return text;
}

static bool has_variable(ipcmark_participant *who, const char *setting)
{
    static char text[65536];
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/environ", ipcmark_participant_pid(who));
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof text, file);
    fclose(file);
    return memmem(text, size, setting, strlen(setting) + 1) != NULL;
}

/* What is measured and limited is the participant, and not a shell in front of it, nor one outside of its wrap. */
static void the_shell_gives_way(void **state)
{
    static const char *const commands[] = {
        IPCMARK_TEST_ROGUE " none",
        IPCMARK_TEST_ROGUE " 'none; or none'",
        IPCMARK_TEST_ROGUE " none\\;none \"(none)\"",
        "cd / && exec " IPCMARK_TEST_ROGUE " none",
    };
    (void)state;
    for (size_t i = 0; i < 2 * sizeof commands / sizeof commands[0]; ++i) {
        const char *const wrap = i % 2 == 0 ? NULL : "env 'WRAPPED=(once)'";
        stage_open(NULL, commands[i / 2]);
        ipcmark_participant *who = ipcmark_participant_start(trial, &(ipcmark_participant_options){.wrap = wrap});
        if (who == NULL)
            fail_msg("%s: %s", commands[i / 2], ipcmark_session_text(session));
        assert_string_equal(read_of(who, "comm"), "rogue.sh\n");
        if (wrap != NULL)
            assert_true(has_variable(who, "WRAPPED=(once)"));
        stage_no_troubles();
        stage_close();
    }
}

CASES_MAIN(CASE(the_silent_one_is_given_up), CASE(those_that_end_at_once_have_crashed),
           CASE(those_that_flood_are_stopped), CASE(one_that_floods_later_is_stopped),
           CASE(what_is_not_protocol_is_shown), CASE(liars_are_caught), CASE(a_wrong_reply_later_ends_it),
           CASE(leaving_early_is_a_crash), CASE(who_does_not_stop_is_killed), CASE(the_well_behaved_mode_is_no_trouble),
           CASE(the_shell_gives_way))
