/* What users type: the dispatcher and its children, as processes. */
#include "cases.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <unistd.h>

extern char **environ;

/* The exit code; what it printed, stdout and stderr together, in `text`. */
static int run(char text[16384], const char *first, const char *second, const char *third)
{
    char *arguments[] = {(char *)(uintptr_t)IPCMARK_TEST_PROGRAM, (char *)(uintptr_t)first, (char *)(uintptr_t)second,
                         (char *)(uintptr_t)third, NULL};
    posix_spawn_file_actions_t actions;
    int ends[2], status;
    pid_t pid;
    size_t length = 0;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    assert_int_equal(posix_spawn(&pid, arguments[0], &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    for (ssize_t step; (step = read(ends[0], text + length, 16383 - length)) > 0;)
        length += (size_t)step;
    text[length] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void expect(int code, const char *words, const char *first, const char *second, const char *third)
{
    char text[16384];
    int got = run(text, first, second, third);
    if (got != code || strstr(text, words) == NULL)
        fail_msg("exit %d, not %d, or without '%s':\n%s", got, code, words, text);
}

static void help_lists_what_is_there(void **state)
{
    (void)state;
    expect(0, "drivers       what can be tested", "--help", NULL, NULL);
    expect(0, "Usage: ipcmark drivers", "help", "drivers", NULL);
    expect(0, "Usage: ipcmark drivers", "drivers", "--help", NULL);
    expect(0, "Usage: ipcmark demo", "help", "demo", NULL);
    expect(0, "ipcmark " IPCMARK_VERSION, "--version", NULL, NULL);
    expect(0, "ipcmark " IPCMARK_VERSION, "drivers", "--version", NULL);
}

static void slips_are_answered(void **state)
{
    (void)state;
    expect(64, "did you mean 'ipcmark drivers'", "driver", NULL, NULL);
    expect(64, "lists them", "make_coffee", NULL, NULL);
    expect(64, "lists the commands", "--frobnicate", NULL, NULL);
    expect(64, "which command?", NULL, NULL, NULL);
    expect(64, "table or jsonl", "drivers", "--format", "xml");
    expect(64, "--output DIRECTORY", "demo", "now", NULL);
}

static void drivers_are_described_or_refused(void **state)
{
    (void)state;
    expect(0, "dgram 1", "drivers", IPCMARK_TEST_DRIVER, NULL);
    expect(0, "directory_files", "drivers", IPCMARK_TEST_DRIVER, NULL);
    expect(0, "\"version\":\"1\"", "drivers", "--format=jsonl", IPCMARK_TEST_DRIVER);
    expect(3, "cannot be used", "drivers", "/bin/true", NULL);
    expect(3, "there is no driver", "drivers", "nosuch", NULL);
}

/* A folder of drivers that holds nothing but a list, and what it says of two. */
static void peers_that_were_left_out_are_named(void **state)
{
    const char list[] = "here built\nnomad missing libnomad-dev nomadd\nrover agent see its README\n";
    char folder[] = "/tmp/command-test-XXXXXX", path[64];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/peers.list", folder);
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(file, list, sizeof list - 1), sizeof list - 1);
    close(file);
    assert_int_equal(setenv("IPCMARK_DRIVER_PATH", folder, 1), 0);
    expect(0, "nomad  not built: needs libnomad-dev nomadd; ./ipcmark --with-peers installs what is missing", "drivers",
           NULL, NULL);
    expect(0, "{\"driver\":\"nomad\",\"missing\":[\"libnomad-dev\",\"nomadd\"]}", "drivers", "--format=jsonl", NULL);
    expect(0, "\nrover  an agent: see its README", "drivers", NULL, NULL);
    expect(0, "{\"agent\":\"rover\",\"note\":\"see its README\"}", "drivers", "--format=jsonl", NULL);
    expect(3, "the driver 'nomad' is not built: needs libnomad-dev nomadd; ./ipcmark --with-peers", "drivers",
           "nomad?a=b", NULL);
    expect(3, "there is no driver 'here'", "drivers", "here", NULL);
    expect(3, "the driver 'nomad' is not built", "conformance", "--driver=nomad", "--clause=DEL-001");
    unsetenv("IPCMARK_DRIVER_PATH");
    unlink(path);
    rmdir(folder);
}

CASES_MAIN(CASE(help_lists_what_is_there), CASE(slips_are_answered), CASE(drivers_are_described_or_refused),
           CASE(peers_that_were_left_out_are_named))
