/* Histories on disk, and the command that judges them. */
#include "cases.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipcmark/checker.h"

extern char **environ;
static char folder[64], problem[700];

static void folder_make(void)
{
    strcpy(folder, "/tmp/ipcmark-history-XXXXXX");
    assert_non_null(mkdtemp(folder));
}

static int entry_remove(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

static void folder_remove(void)
{
    assert_int_equal(nftw(folder, entry_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static const struct ipcmark_process process = {4, 1234};
static const struct ipcmark_member publisher = {7, 1, IPCMARK_PUBLISHER, 4, "a \"channel\"", "d/é", NULL};
static const struct ipcmark_member subscriber = {8, 1, IPCMARK_SUBSCRIBER, 4, "a \"channel\"", "d/é", "subscriber 1"};
static const struct ipcmark_fault fault = {IPCMARK_FAULT_PAUSE, 5, 1000000000000001, 0};
static const struct ipcmark_drain drain = {8, 1, 7, 1, IPCMARK_ANY_THREAD, IPCMARK_TO_THE_END, 900, 1000, 1};
static const struct ipcmark_observation observation = {IPCMARK_LEFTOVER, 12, "a file was left", IPCMARK_PROOF_DEADLINE};
static const struct ipcmark_expectation expectation = {
    "run", IPCMARK_CAP_PEERS | IPCMARK_CAP_PING, IPCMARK_READY_COUNT, 5, 1, 0, 0, 77};

static void facts_log(int observed)
{
    struct ipcmark_history_log *log;
    assert_int_equal(ipcmark_history_log_open(&log, folder), 0);
    assert_int_equal(ipcmark_history_log_process(log, &process), 0);
    assert_int_equal(ipcmark_history_log_member(log, &publisher), 0);
    assert_int_equal(ipcmark_history_log_member(log, &subscriber), 0);
    assert_int_equal(ipcmark_history_log_fault(log, &fault), 0);
    assert_int_equal(ipcmark_history_log_drain(log, &drain), 0);
    if (observed)
        assert_int_equal(ipcmark_history_log_observation(log, &observation), 0);
    assert_int_equal(ipcmark_history_log_expectation(log, &expectation), 0);
    assert_int_equal(ipcmark_history_log_end(log), 0);
    ipcmark_history_log_close(log);
}

/* A journal of process 4 in which one message is sent and received. */
static void journal_write(void)
{
    const uint32_t run = ipcmark_payload_name("run");
    const struct ipcmark_record records[] = {
        {.kind = IPCMARK_OPEN_INVOKE, .endpoint = 7, .endpoint_epoch = 1},
        {.kind = IPCMARK_OPEN_DONE, .endpoint = 7, .endpoint_epoch = 1},
        {.kind = IPCMARK_OPEN_INVOKE, .endpoint = 8, .endpoint_epoch = 1},
        {.kind = IPCMARK_OPEN_DONE, .endpoint = 8, .endpoint_epoch = 1},
        {.kind = IPCMARK_PEERS, .endpoint = 7, .endpoint_epoch = 1, .count = 1},
        {.kind = IPCMARK_INVOKE,
         .endpoint = 7,
         .endpoint_epoch = 1,
         .publisher = 7,
         .epoch = 1,
         .size = 64,
         .run = run,
         .parts = 1},
        {.kind = IPCMARK_OK, .endpoint = 7, .endpoint_epoch = 1, .publisher = 7, .epoch = 1},
        {.kind = IPCMARK_RECEIVED,
         .endpoint = 8,
         .endpoint_epoch = 1,
         .publisher = 7,
         .epoch = 1,
         .size = 64,
         .run = run,
         .parts = 1},
    };
    struct ipcmark_journal *journal;
    char path[96];
    snprintf(path, sizeof path, "%s/journals/4.0", folder);
    assert_int_equal(ipcmark_journal_open(&journal, path), 0);
    for (size_t i = 0; i < sizeof records / sizeof records[0]; ++i)
        assert_int_equal(ipcmark_journal_append(journal, &records[i]), 0);
    ipcmark_journal_close(journal);
}

static void round_trip(void **state)
{
    struct ipcmark_history history;
    (void)state;
    folder_make();
    facts_log(1);
    journal_write();
    assert_int_equal(ipcmark_history_load(&history, folder, problem, sizeof problem), 0);
    assert_true(history.process_count == 1 && history.member_count == 2 && history.fault_count == 1);
    assert_true(history.drain_count == 1 && history.observation_count == 1 && history.has_expectation);
    assert_memory_equal(&history.processes[0], &process, sizeof process);
    assert_int_equal(history.members[0].endpoint, 7);
    assert_int_equal(history.members[0].role, IPCMARK_PUBLISHER);
    assert_string_equal(history.members[1].channel, subscriber.channel);
    assert_string_equal(history.members[1].directory, subscriber.directory);
    assert_true(history.faults[0].kind == fault.kind && history.faults[0].from_ns == fault.from_ns);
    assert_true(history.drains[0].thread == IPCMARK_ANY_THREAD && history.drains[0].sequence == IPCMARK_TO_THE_END);
    assert_true(history.drains[0].until_ns == 1000 && history.drains[0].reached == 1);
    assert_int_equal(history.observations[0].class_, IPCMARK_LEFTOVER);
    assert_string_equal(history.observations[0].text, observation.text);
    assert_int_equal(history.observations[0].proof, IPCMARK_PROOF_DEADLINE);
    assert_string_equal(history.expectation.run, "run");
    assert_true(history.expectation.capabilities == expectation.capabilities && history.expectation.min_must == 1);
    assert_int_equal(history.expectation.ready, IPCMARK_READY_COUNT);
    assert_int_equal(history.journal_count, 1);
    assert_true(history.journals[0].process == 4 && history.journals[0].view.count == 8);
    ipcmark_history_free(&history);
    folder_remove();
}

static void line_append(const char *text)
{
    char path[96];
    FILE *file;
    snprintf(path, sizeof path, "%s/history.jsonl", folder);
    file = fopen(path, "ae");
    fputs(text, file);
    fclose(file);
}

static void a_cut_line_is_ignored(void **state)
{
    struct ipcmark_history history;
    (void)state;
    folder_make();
    facts_log(0);
    line_append("{\"fact\":\"observation\",\"class\":\"lo");
    assert_int_equal(ipcmark_history_load(&history, folder, problem, sizeof problem), 0);
    assert_int_equal(history.observation_count, 0);
    ipcmark_history_free(&history);
    folder_remove();
}

static void bad_lines_are_shown(void **state)
{
    static const char *const lines[][2] = {
        {"nonsense\n", "line 9: not an object with a known \"fact\": nonsense"},
        {"{\"fact\":\"gossip\"}\n", "known \"fact\""},
        {"{\"fact\":\"process\",\"number\":1}\n", "\"pid\" is missing or wrong"},
        {"{\"fact\":\"process\",\"number\":-1,\"pid\":1}\n", "\"number\" is missing or wrong"},
        {"{\"fact\":\"process\",\"number\":4294967296,\"pid\":1}\n", "\"number\" is missing or wrong"},
        {"{\"fact\":\"process\",\"number\":1.5,\"pid\":1}\n", "\"number\" is missing or wrong"},
        {"{\"fact\":\"fault\",\"kind\":\"hug\",\"process\":1,\"from_ns\":1,\"until_ns\":1}\n",
         "\"kind\" is missing or wrong"},
        {"{\"fact\":\"observation\",\"class\":\"lost\",\"time_ns\":1,\"text\":5}\n", "\"text\" is missing or wrong"},
    };
    struct ipcmark_history history;
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; ++i) {
        folder_make();
        facts_log(0);
        line_append(lines[i][0]);
        assert_int_equal(ipcmark_history_load(&history, folder, problem, sizeof problem), -EBADMSG);
        if (strstr(problem, lines[i][1]) == NULL)
            fail_msg("line %zu: '%s' does not say '%s'", i, problem, lines[i][1]);
        ipcmark_history_free(&history);
        folder_remove();
    }
}

static void strange_journals_are_shown(void **state)
{
    struct ipcmark_history history;
    char path[96];
    FILE *file;
    (void)state;
    folder_make();
    facts_log(0);
    snprintf(path, sizeof path, "%s/journals/notes.txt", folder);
    file = fopen(path, "we");
    fclose(file);
    assert_int_equal(ipcmark_history_load(&history, folder, problem, sizeof problem), -EBADMSG);
    assert_non_null(strstr(problem, "journals/notes.txt: not named after a process"));
    ipcmark_history_free(&history);
    unlink(path);
    snprintf(path, sizeof path, "%s/journals/4.1", folder);
    file = fopen(path, "we");
    fputs("garbage", file);
    fclose(file);
    assert_int_equal(ipcmark_history_load(&history, folder, problem, sizeof problem), -EBADMSG);
    assert_non_null(strstr(problem, "journals/4.1: not a journal"));
    ipcmark_history_free(&history);
    folder_remove();
    assert_int_equal(ipcmark_history_load(&history, folder, problem, sizeof problem), -ENOENT);
    ipcmark_history_free(&history);
}

static void never_overwritten(void **state)
{
    struct ipcmark_history_log *log;
    (void)state;
    folder_make();
    facts_log(0);
    assert_int_equal(ipcmark_history_log_open(&log, folder), -EEXIST);
    folder_remove();
    ipcmark_history_log_close(NULL);
}

/* Runs ipcmark-check; returns its exit code, and in `output` what it wrote to both. */
static int command_run(const char *const *arguments, char *output, size_t size)
{
    posix_spawn_file_actions_t actions;
    int pipes[2], status;
    size_t used = 0;
    ssize_t got;
    pid_t child;
    assert_int_equal(pipe(pipes), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, pipes[1], STDERR_FILENO);
    posix_spawn_file_actions_addclose(&actions, pipes[0]);
    posix_spawn_file_actions_addclose(&actions, pipes[1]);
    assert_int_equal(posix_spawn(&child, CHECK_PROGRAM, &actions, NULL, (char *const *)arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(pipes[1]);
    while ((got = read(pipes[0], output + used, size - 1 - used)) > 0)
        used += (size_t)got;
    output[used] = '\0';
    close(pipes[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void command_judges(void **state)
{
    const char *const text[] = {"ipcmark-check", folder, NULL};
    const char *const json[] = {"ipcmark-check", "--format", "json", folder, NULL};
    const char *const two[] = {"ipcmark-check", folder, "/nonexistent", NULL};
    const char *const no_lines[] = {"ipcmark-check", "--lines", "0", folder, NULL};
    char output[4096];
    (void)state;
    folder_make();
    facts_log(0);
    journal_write();
    assert_int_equal(command_run(text, output, sizeof output), 0);
    assert_non_null(strstr(output, ": pass\n  1 messages, 1 deliveries had to be made, 1 were;"));
    assert_int_equal(command_run(json, output, sizeof output), 0);
    assert_non_null(strstr(output, "\"verdict\":\"pass\",\"class\":null"));
    assert_int_equal(command_run(two, output, sizeof output), 3);
    assert_non_null(strstr(output, "/nonexistent: not the folder of a recorded run"));
    folder_remove();
    folder_make();
    facts_log(1);
    journal_write();
    assert_int_equal(command_run(text, output, sizeof output), 1);
    assert_non_null(strstr(output, "fail (leftover): a file was left"));
    assert_non_null(strstr(output, " s  here it shows: leftover\n"));
    assert_int_equal(command_run(no_lines, output, sizeof output), 1);
    assert_null(strstr(output, "here it shows"));
    assert_int_equal(command_run(two, output, sizeof output), 3);
    folder_remove();
}

/* Makes history.jsonl anew from its own lines, from one on and up to another. */
static void lines_keep(size_t from, size_t until)
{
    static char lines[16][512];
    char path[96];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/history.jsonl", folder);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (count < 16 && fgets(lines[count], sizeof lines[count], file) != NULL)
        ++count;
    fclose(file);
    assert_true(from < until && until <= count);
    assert_int_equal(unlink(path), 0);
    for (size_t i = from; i < until; ++i)
        line_append(lines[i]);
}

static void says(int code, const char *text)
{
    const char *const arguments[] = {"ipcmark-check", folder, NULL};
    const char *const json[] = {"ipcmark-check", "--format", "json", folder, NULL};
    char output[8192];
    assert_int_equal(command_run(arguments, output, sizeof output), code);
    if (strstr(output, text) == NULL)
        fail_msg("'%s' does not say '%s'", output, text);
    assert_int_equal(command_run(json, output, sizeof output), code); /* an object in any case */
    if (strstr(output, "{\"folder\":\"/tmp/ipcmark-history-") == NULL || strstr(output, "\"text\":\"") == NULL)
        fail_msg("no JSON in '%s'", output);
}

/* Each stage at which a run may have been cut off. */
static void command_judges_what_was_cut_off(void **state)
{
    (void)state;
    for (size_t lines = 8; lines >= 1; --lines) {
        folder_make();
        facts_log(0);
        journal_write();
        lines_keep(0, lines);
        if (lines == 8)
            says(0, ": pass");
        else if (lines > 3)
            says(2, "unknown: the run was cut off: its history has no end");
        else
            says(3, "which the history does not put into process 4");
        folder_remove();
    }
    folder_make();
    facts_log(0);
    lines_keep(0, 1);
    says(2, "unknown: the run was cut off");
    folder_remove();
}

static void command_refuses_what_it_cannot_read(void **state)
{
    char path[96];
    (void)state;
    folder_make(); /* of an older suite: the same without the first line */
    facts_log(0);
    journal_write();
    lines_keep(1, 8);
    says(3, "does not begin with the version of its format: an older ipcmark wrote it");
    snprintf(path, sizeof path, "%s/history.jsonl", folder);
    assert_int_equal(unlink(path), 0);
    line_append("{\"fact\":\"history\",\"version\":3}\n"); /* of a newer one */
    says(3, "is of format version 3, and this ipcmark reads version 2: judge it with the ipcmark that recorded it");
    assert_int_equal(unlink(path), 0);
    line_append("\x7f"
                "ELF garbage without a line");
    says(3, "holds no complete line");
    assert_int_equal(unlink(path), 0);
    says(3, "not the folder of a recorded run");
    line_append("{\"fact\":\"history\",\"version\":2}\n{\"fact\":\"history\",\"version\":2}\n");
    says(3, "line 2: another history begins");
    folder_remove();
}

/* What could not be written is no cut: it is said, and the words behind it are not believed. */
static void a_full_disk_is_an_error(void **state)
{
    const struct rlimit little = {200, RLIM_INFINITY}, all = {RLIM_INFINITY, RLIM_INFINITY};
    struct ipcmark_history_log *log;
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    (void)state;
    folder_make();
    assert_int_equal(ipcmark_history_log_open(&log, folder), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    assert_int_equal(ipcmark_history_log_member(log, &publisher), 0);
    assert_true(ipcmark_history_log_member(log, &subscriber) < 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
    assert_true(ipcmark_history_log_end(log) < 0); /* there is room again, but a line is missing */
    ipcmark_history_log_close(log);
    signal(SIGXFSZ, before);
    says(3, "/history.jsonl could not be written to its end (");
    says(3, "name another place with TMPDIR");
    folder_remove();
}

static void command_judges_many(void **state)
{
    const char *const many[] = {"ipcmark-check", "-f", "json", folder, "/nonexistent", folder, NULL};
    char output[8192], *line = output;
    (void)state;
    folder_make();
    facts_log(1);
    journal_write();
    assert_int_equal(command_run(many, output, sizeof output), 3);
    assert_non_null(strstr(output, "ipcmark check: /nonexistent: not the folder"));
    for (int i = 0; i < 3; ++i) {
        static const char *const verdicts[] = {"\"verdict\":\"fail\",\"class\":\"leftover\"",
                                               "\"/nonexistent\",\"verdict\":\"error\",\"class\":null",
                                               "\"verdict\":\"fail\",\"class\":\"leftover\""};
        line = strstr(line, verdicts[i]);
        assert_non_null(line);
        ++line;
    }
    assert_non_null(strstr(output, "\"first\":{\"seconds\":"));
    assert_non_null(strstr(output, "here it shows: leftover\\n"));
    folder_remove();
}

/* In the way that --keep makes them: RUN/NUMBER-…; numbers are in the order of numbers. */
static void command_finds_what_is_below(void **state)
{
    const char *const parent[] = {"ipcmark-check", NULL, NULL}, *const json[] = {"ipcmark-check", "-f", "json", NULL,
                                                                                 NULL};
    const char *arguments[5], *at;
    char above[32], output[8192];
    (void)state;
    folder_make();
    assert_true(snprintf(above, sizeof above, "%s", folder) < (int)sizeof above);
    for (int i = 0; i < 4; ++i) { /* RUN/10-b fails, RUN/9-a passes; another is no run */
        static const char *const names[] = {"RUN", "RUN/10-b", "RUN/9-a", "RUN/other"};
        snprintf(folder, sizeof folder, "%s/%s", above, names[i]);
        assert_int_equal(mkdir(folder, 0700), 0);
        if (i == 1 || i == 2)
            facts_log(i == 1), journal_write();
    }
    snprintf(folder, sizeof folder, "%s", above);
    memcpy(arguments, parent, sizeof parent);
    arguments[1] = folder;
    assert_int_equal(command_run(arguments, output, sizeof output), 1);
    at = strstr(output, "pass                 ");
    assert_non_null(at);
    assert_non_null(strstr(at, "/RUN/9-a\nfail     leftover    "));
    assert_non_null(strstr(at, "/RUN/10-b: a file was left\n2 runs: 1 pass, 1 fail, 0 unknown, 0 error; name one of"));
    memcpy(arguments, json, sizeof json);
    arguments[3] = folder;
    assert_int_equal(command_run(arguments, output, sizeof output), 1);
    at = strstr(output, "/RUN/9-a\",\"verdict\":\"pass\"");
    assert_non_null(at);
    assert_non_null(strstr(at, "/RUN/10-b\",\"verdict\":\"fail\",\"class\":\"leftover\""));
    snprintf(output, sizeof output, "%s/RUN/other", above);
    memcpy(arguments, parent, sizeof parent);
    arguments[1] = strdup(output);
    assert_int_equal(command_run(arguments, output, sizeof output), 3);
    free((char *)(uintptr_t)arguments[1]);
    assert_non_null(strstr(output, "not the folder of a recorded run"));
    assert_non_null(strstr(output, "and none is below it"));
    folder_remove();
}

static void command_helps(void **state)
{
    const char *const help[] = {"ipcmark-check", "--help", NULL}, *const version[] = {"ipcmark-check", "--version",
                                                                                      NULL};
    const char *const nothing[] = {"ipcmark-check", NULL}, *const wrong[] = {"ipcmark-check", "--nonsense", NULL};
    const char *const lines[] = {"ipcmark-check", "--lines=-1", ".", NULL};
    const char *const format[] = {"ipcmark-check", "--format", "xml", ".", NULL};
    char output[4096];
    (void)state;
    assert_int_equal(command_run(help, output, sizeof output), 0);
    assert_non_null(strstr(output, "exit codes"));
    for (const char *line = output; *line != '\0'; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 120); /* as wide as the page, and no wider */
    assert_int_equal(command_run(version, output, sizeof output), 0);
    assert_int_equal(command_run(nothing, output, sizeof output), 64);
    assert_int_equal(command_run(wrong, output, sizeof output), 64);
    assert_int_equal(command_run(format, output, sizeof output), 64);
    assert_non_null(strstr(output, "not 'xml'"));
    assert_int_equal(command_run(lines, output, sizeof output), 64);
    assert_non_null(strstr(output, "not '-1'"));
}

CASES_MAIN(CASE(round_trip), CASE(a_cut_line_is_ignored), CASE(bad_lines_are_shown), CASE(strange_journals_are_shown),
           CASE(never_overwritten), CASE(command_judges), CASE(command_judges_many),
           CASE(command_judges_what_was_cut_off), CASE(a_full_disk_is_an_error),
           CASE(command_refuses_what_it_cannot_read), CASE(command_finds_what_is_below), CASE(command_helps))
