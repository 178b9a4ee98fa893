/* A case that hangs says where: hang.h. */
#include "cases.h"

#include <errno.h>
#include <spawn.h>

extern char **environ;

static char program[] = "/proc/self/exe", hangs[] = "--hang", cat[] = "cat";

/* The process that hangs: it waits for a child that waits for it. */
static int hang(void)
{
    char *arguments[] = {cat, NULL};
    posix_spawn_file_actions_t actions;
    int ends[2];
    pid_t child;
    hang_watch();
    posix_spawn_file_actions_init(&actions);
    if (pipe2(ends, O_CLOEXEC) < 0 || posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO) != 0 ||
        posix_spawnp(&child, cat, &actions, NULL, arguments, environ) != 0)
        return 1;
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
    return 1;
}

static void one_that_hangs_says_where(void **state)
{
    static char text[65536];
    char *arguments[] = {program, hangs, NULL};
    posix_spawn_file_actions_t actions;
    int ends[2], status;
    size_t length = 0;
    pid_t child;
    (void)state;
    setenv("CASES_PATIENCE", "1", 1);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO), 0);
    assert_int_equal(posix_spawn(&child, program, &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    for (ssize_t step; length < sizeof text - 1 && (step = read(ends[0], text + length, sizeof text - 1 - length)) > 0;)
        length += (size_t)step;
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    if (strstr(text, "This case hangs") == NULL || strstr(text, "(+0x") == NULL || strstr(text, ": cat\n") == NULL ||
        strstr(text, "syscall: ") == NULL || strstr(text, "/proc/loadavg: ") == NULL)
        fail_msg("no backtrace, or not the child and what it waits in:\n%s", text);
}

static void without_patience_nothing_is_watched(void **state)
{
    (void)state;
    unsetenv("CASES_PATIENCE");
    alarm(0);
    hang_watch();
    assert_int_equal(alarm(0), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {CASE(one_that_hangs_says_where), CASE(without_patience_nothing_is_watched)};
    return argc == 2 && strcmp(argv[1], hangs) == 0 ? hang() : cases_main(tests, 2, argc, argv);
}
