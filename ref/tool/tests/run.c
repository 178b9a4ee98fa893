#include "run.h"

#include "actor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { ARGUMENTS_MAX = 16 };

static void die(const char *what)
{
    fprintf(stderr, "run: %s: %s\n", what, strerror(errno));
    abort();
}

void run_main(int argc, char **argv)
{
    if (argc < 3 || strcmp(argv[1], "--run") != 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execv(argv[2], argv + 2);
    die(argv[2]);
}

struct run run_start(const char *const *arguments)
{
    const char *all[ARGUMENTS_MAX + 4] = {"run", "--run", MMIPC_TOOL};
    posix_spawn_file_actions_t actions;
    struct run run = {.pid = -1};
    int in[2], out[2], err[2], error;
    for (int i = 0; i < ARGUMENTS_MAX && arguments[i] != NULL; ++i)
        all[i + 3] = arguments[i];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)
        die("pipe");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    error = posix_spawn(&run.pid, actor_program(), &actions, NULL, (char *const *)(uintptr_t)all, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    close(err[1]);
    if (error != 0) {
        errno = error;
        die("posix_spawn");
    }
    run.in = in[1];
    run.out = out[0];
    run.err = err[0];
    return run;
}

void run_send(struct run *run, const void *data, size_t size)
{
    for (size_t sent = 0; sent < size;) {
        ssize_t wrote = write(run->in, (const char *)data + sent, size - sent);
        if (wrote < 0)
            die("its standard input");
        sent += (size_t)wrote;
    }
}

void run_close_input(struct run *run)
{
    if (run->in >= 0)
        close(run->in);
    run->in = -1;
}

void run_read_line(int from, char *line, size_t size)
{
    size_t length = 0;
    while (length + 1 < size && read(from, line + length, 1) == 1)
        if (line[length++] == '\n')
            break;
    line[length] = '\0';
}

/* false: it has ended. */
static bool take(int fd, char **text, size_t *size)
{
    enum { PIECE = 65536 };
    char *grown = realloc(*text, *size + PIECE + 1);
    ssize_t got;
    if (grown == NULL)
        die("realloc");
    *text = grown;
    got = read(fd, grown + *size, PIECE);
    if (got < 0)
        die("its output");
    *size += (size_t)got;
    grown[*size] = '\0';
    return got > 0;
}

int run_end(struct run *run)
{
    struct pollfd polled[] = {{.fd = run->out, .events = POLLIN}, {.fd = run->err, .events = POLLIN}};
    int status = 0;
    run_close_input(run);
    while (polled[0].fd >= 0 || polled[1].fd >= 0) {
        if (poll(polled, 2, -1) < 0)
            die("poll");
        if (polled[0].revents != 0 && !take(run->out, &run->output, &run->output_size))
            polled[0].fd = -1;
        if (polled[1].revents != 0 && !take(run->err, &run->errors, &run->errors_size))
            polled[1].fd = -1;
    }
    if (run->out >= 0)
        close(run->out);
    close(run->err);
    while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

void run_free(struct run *run)
{
    free(run->output);
    free(run->errors);
    *run = (struct run){.pid = -1};
}
