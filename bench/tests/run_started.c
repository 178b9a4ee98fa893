#include "run_started.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

extern char **environ;

char run_folder[64], run_printed[1 << 18];
static char errors[128]; /* what went to standard error of a pipe */

void run_open_folder(void)
{
    strcpy(run_folder, "/tmp/ipcmark-run.XXXXXX");
    assert_non_null(mkdtemp(run_folder));
    snprintf(errors, sizeof errors, "%s/errors", run_folder);
    assert_int_equal(setenv("TMPDIR", run_folder, 1), 0);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    run_printed[0] = '\0';
}

void run_close_folder(void)
{
    unlink(errors);
    if (rmdir(run_folder) != 0)
        fail_msg("something is left in %s", run_folder);
}

/* ---- starting it ------------------------------------------------------------------------------------------------- */

/* In a session of its own, with this as its terminal, if there is one. */
static pid_t spawn(const char *const *words, posix_spawn_file_actions_t *actions, short flags)
{
    posix_spawnattr_t attributes;
    pid_t pid;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, flags);
    assert_int_equal(posix_spawn(&pid, words[0], actions, &attributes, (char **)(uintptr_t)words, environ), 0);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(actions);
    return pid;
}

struct run_started run_on_terminal(const char *const *words)
{
    const struct winsize size = {.ws_row = 24, .ws_col = 120};
    const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    posix_spawn_file_actions_t actions;
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, ptsname(master), O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDERR_FILENO);
    return (struct run_started){spawn(words, &actions, POSIX_SPAWN_SETSID), master};
}

struct run_started run_in_pipe(const char *const *words)
{
    posix_spawn_file_actions_t actions;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const struct run_started started = {spawn(words, &actions, 0), ends[0]};
    close(ends[1]);
    return started;
}

/* A terminal tells by EIO that nobody has it any more. */
void run_read_until(const struct run_started *started, const char *words)
{
    size_t length = strlen(run_printed);
    while (words == NULL || strstr(run_printed, words) == NULL) {
        struct pollfd readable = {.fd = started->output, .events = POLLIN};
        if (poll(&readable, 1, 40000) != 1)
            fail_msg("silent for 40 s after:\n%s", run_printed);
        const ssize_t step = read(started->output, run_printed + length, sizeof run_printed - 1 - length);
        if (step <= 0 && words != NULL)
            fail_msg("without '%s':\n%s", words, run_printed);
        if (step <= 0)
            return;
        run_printed[length += (size_t)step] = '\0';
    }
}

/* The exit code. */
static int finish(const struct run_started *started)
{
    int status;
    run_read_until(started, NULL);
    close(started->output);
    assert_int_equal(waitpid(started->pid, &status, 0), started->pid);
    if (!WIFEXITED(status))
        fail_msg("ended by signal %d:\n%s", WTERMSIG(status), run_printed);
    return WEXITSTATUS(status);
}

void run_expect_code(const struct run_started *started, int code)
{
    const int got = finish(started);
    if (got != code)
        fail_msg("exit %d, and not %d:\n%s", got, code, run_printed);
}

void run_expect_printed(const char *words)
{
    if (strstr(run_printed, words) == NULL)
        fail_msg("without '%s':\n%s", words, run_printed);
}

unsigned long long run_number_after(const char *words)
{
    const char *at = strstr(run_printed, words);
    run_expect_printed(words);
    return at == NULL ? 0 : strtoull(at + strlen(words), NULL, 10);
}

void run_read_errors(void)
{
    const int fd = open(errors, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    const ssize_t length = read(fd, run_printed, sizeof run_printed - 1);
    assert_true(length >= 0);
    run_printed[length] = '\0';
    close(fd);
}
