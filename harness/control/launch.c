/* Not by uv_spawn, which forks: the child of a coordinator under ThreadSanitizer would run in its runtime's locks, and
 * any large coordinator would have its page tables copied for nothing. posix_spawn shares them until the exec; and a
 * pidfd says that a process has ended without a signal handler. */
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { STREAMS = 3 };

static void close_all(const int *fds, int count)
{
    for (int i = 0; i < count; ++i)
        close(fds[i]);
}

static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawnattr_setsigmask(attributes, &none);
    if (error == 0)
        error = posix_spawnattr_setsigdefault(attributes, &all);
    /* A session of its own: Ctrl-C in the terminal is the coordinator's to handle, and whatever it starts can be found.
     */
    if (error == 0)
        error =
            posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    return error;
}

static int spawn(char *const *arguments, const int *theirs, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return -error;
    if ((error = posix_spawnattr_init(&attributes)) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return -error;
    }
    for (int i = 0; i < STREAMS && error == 0; ++i)
        error = posix_spawn_file_actions_adddup2(&actions, theirs[i], i);
    if (error == 0)
        error = set_attributes(&attributes);
    if (error == 0)
        error = posix_spawn(pid, arguments[0], &actions, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return -error;
}

int launch(char *const *arguments, struct launched *out)
{
    int ours[STREAMS] = {0}, theirs[STREAMS] = {0}, made = 0, error = 0;
    struct launched launched = {0};
    for (; made < STREAMS && error == 0; made += error == 0) {
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
            error = -errno;
        } else {
            ours[made] = ends[0];
            theirs[made] = ends[1];
        }
    }
    if (error == 0)
        error = spawn(arguments, theirs, &launched.pid);
    close_all(theirs, made);
    if (error == 0 && (launched.exit_fd = (int)syscall(SYS_pidfd_open, launched.pid, 0)) < 0) {
        error = -errno;
        kill(launched.pid, SIGKILL);
        waitpid(launched.pid, NULL, 0);
    }
    if (error < 0) {
        close_all(ours, made);
        return error;
    }
    launched.in = ours[0];
    launched.out = ours[1];
    launched.err = ours[2];
    *out = launched;
    return 0;
}
