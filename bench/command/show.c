#include "show.h"

#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/wait.h>

#include <ipcmark/control.h>

extern char **environ;

int show_results(const char *file)
{
    const char *words[] = {"ipcmark-report", "--format", "text", "--", file, NULL};
    char program[PATH_MAX];
    pid_t child;
    int status = 0, result = ipcmark_program_path(words[0], program, sizeof program);

    if (result == 0)
        result = -posix_spawn(&child, program, NULL, NULL, (char **)(uintptr_t)words, environ);
    if (result < 0)
        return result;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
