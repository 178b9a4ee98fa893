#include "watchdog.h"

#include "ipcmark/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* It kills what was left to it, a second each at most, and removes a directory that may be large. */
enum { CLOSE_PATIENCE_MS = 20000 };

extern char **environ;

static int read_line(int fd, char *line, size_t size)
{
    for (size_t length = 0; length < size;) {
        ssize_t step = read(fd, line + length, 1);
        if (step < 0 && errno == EINTR) /* Ctrl-C, which is noticed elsewhere */
            continue;
        if (step < 0)
            return errno == EAGAIN ? -ETIMEDOUT : -errno;
        if (step == 0)
            return -EPIPE;
        if (line[length] == '\n') {
            line[length] = '\0';
            return 0;
        }
        ++length;
    }
    return -EMSGSIZE;
}

static int spawn(pid_t *pid, const char *program, const char *parent_directory, uint64_t run, int socket)
{
    char text[32];
    char *arguments[] = {(char *)(uintptr_t)program, (char *)(uintptr_t) "watch", (char *)(uintptr_t)parent_directory,
                         text, NULL};
    snprintf(text, sizeof text, "%" PRIx64, run);
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return -error;
    if ((error = posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO)) == 0 &&
        (error = posix_spawn_file_actions_adddup2(&actions, socket, STDOUT_FILENO)) == 0)
        error = posix_spawn(pid, program, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return -error;
}

static void set_patience(int socket, time_t seconds)
{
    struct timeval patience = {.tv_sec = seconds};
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

int watchdog_open(struct watchdog *out, const char *program, const char *parent_directory, uint64_t run)
{
    struct watchdog self = {.patience_ms = CLOSE_PATIENCE_MS};
    char line[sizeof self.directory + 16];
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    int error = spawn(&self.pid, program, parent_directory, run, ends[1]);
    close(ends[1]);
    self.socket = ends[0];
    if (error < 0) {
        close(self.socket);
        return error;
    }
    set_patience(self.socket, 10); /* it is being started */
    error = read_line(self.socket, line, sizeof line);
    if (error == 0 && sscanf(line, "directory %255[^\n]", self.directory) != 1)
        error = -EPROTO;
    if (error < 0) {
        watchdog_close(&self);
        return error;
    }
    set_patience(self.socket, 5); /* one that is late by more counts as lost; a machine may stand still for a second */
    *out = self;
    return 0;
}

/* By its pidfd, which becomes readable when it has ended. */
static bool ends_within(int pidfd, int milliseconds)
{
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    const uint64_t end_ns = ipcmark_now_ns() + (uint64_t)milliseconds * 1000000;
    for (;;) {
        const uint64_t now = ipcmark_now_ns();
        int result = poll(&ended, 1, now < end_ns ? (int)((end_ns - now) / 1000000) + 1 : 0);
        if (result > 0)
            return true;
        if (result == 0 || errno != EINTR)
            return false;
    }
}

int watchdog_close(struct watchdog *self)
{
    int error = 0;
    if (self->pid <= 0)
        return 0;
    int pidfd = (int)syscall(SYS_pidfd_open, self->pid, 0);
    /* Stopped, it could not obey. But not after the close: it ends then, and under AddressSanitizer its last act is to
     * let itself be traced for leaks; SIGCONT would take back the stop that the tracer waits for, and both would wait
     * for ever. */
    kill(self->pid, SIGCONT);
    close(self->socket);
    if (pidfd < 0 || !ends_within(pidfd, self->patience_ms)) {
        error = pidfd < 0 ? -errno : -ETIMEDOUT;
        kill(self->pid, SIGKILL); /* ours and not reaped: the number can be nobody else's */
    }
    while (waitpid(self->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    if (pidfd >= 0)
        close(pidfd);
    self->pid = 0;
    return error;
}

static void tell(struct watchdog *self, const char *verb, pid_t participant)
{
    char line[64];
    int length = snprintf(line, sizeof line, "%s %d\n", verb, (int)participant);
    /* If the guard is dead, PDEATHSIG and our own close remain. */
    if (send(self->socket, line, (size_t)length, MSG_NOSIGNAL) < 0)
        return;
}

void watchdog_watch(struct watchdog *self, pid_t participant)
{
    tell(self, "watch", participant);
}

void watchdog_forget(struct watchdog *self, pid_t participant)
{
    tell(self, "forget", participant);
}

int watchdog_ping(struct watchdog *self, uint64_t *out)
{
    static const char request[] = "ping\n";
    char line[64];
    uint64_t start = ipcmark_now_ns();
    if (send(self->socket, request, sizeof request - 1, MSG_NOSIGNAL) < 0)
        return -errno;
    int error = read_line(self->socket, line, sizeof line);
    if (error < 0)
        return error;
    *out = ipcmark_now_ns() - start;
    return 0;
}
