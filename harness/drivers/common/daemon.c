#include "daemon.h"

#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { READY_WITHIN_S = 20, END_WITHIN_S = 5, SAID = 4096, READS_AFTER_END = 64 };

struct daemon {
    const char *const *argv; /* these three until it is ready */
    const char *folder, *ready;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pid_t pid; /* 0: not forked yet, or reaped */
    enum { STARTING, READY, ENDED } state;
    bool stopping;       /* it is to end */
    int error;           /* of fork and the like */
    char said[SAID + 1]; /* the end of what it printed */
    size_t said_size;
};

/* In the child, where only what is safe after fork may be called. */
static _Noreturn void become(const struct daemon *daemon, pid_t parent, int output)
{
    sigset_t none;
    int nothing = open("/dev/null", O_RDONLY);
    sigemptyset(&none);
    /* The parent may have died before the kernel was told. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent && chdir(daemon->folder) == 0 &&
        dup2(nothing, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 && dup2(output, STDERR_FILENO) >= 0 &&
        pthread_sigmask(SIG_SETMASK, &none, NULL) == 0) {
        close_range(STDERR_FILENO + 1, ~0u, 0);
        execv(daemon->argv[0], (char *const *)daemon->argv);
        dprintf(STDERR_FILENO, "%s: %s\n", daemon->argv[0], strerrordesc_np(errno));
    }
    _exit(127);
}

static void set_state(struct daemon *daemon, int state)
{
    pthread_mutex_lock(&daemon->lock);
    daemon->state = state;
    pthread_cond_broadcast(&daemon->changed);
    pthread_mutex_unlock(&daemon->lock);
}

/* Keeps the last SAID bytes. */
static void remember(struct daemon *daemon, const char *text, size_t size)
{
    const size_t keep = size < SAID - daemon->said_size ? daemon->said_size : SAID - size;
    memmove(daemon->said, daemon->said + daemon->said_size - keep, keep);
    memcpy(daemon->said + keep, text, size);
    daemon->said_size = keep + size;
    daemon->said[daemon->said_size] = '\0';
}

static void hear(struct daemon *daemon, const char *text, size_t size)
{
    remember(daemon, text, size);
    if (daemon->state == STARTING && strstr(daemon->said, daemon->ready) != NULL)
        set_state(daemon, READY);
}

/* Reads until the program has ended, so that it never waits for us to. A child of its own may hold on to its output,
 * and even write more. */
static void listen_to(struct daemon *daemon, int input)
{
    const int ended = (int)syscall(SYS_pidfd_open, daemon->pid, 0);
    struct pollfd waits[] = {{.fd = input, .events = POLLIN}, {.fd = ended, .events = POLLIN}};
    char text[SAID / 2];
    for (int after = 0; after < READS_AFTER_END;) {
        if (poll(waits, 2, -1) < 0)
            continue;
        after += waits[1].revents != 0;
        if (waits[0].revents == 0)
            break;
        const ssize_t got = read(input, text, sizeof text);
        if (got > 0)
            hear(daemon, text, (size_t)got);
        else if (got == 0 || errno != EINTR)
            break;
    }
    if (ended >= 0)
        close(ended);
}

/* Nobody may signal a process that has been reaped. */
static void reap(struct daemon *daemon)
{
    siginfo_t ended;
    while (waitid(P_PID, (id_t)daemon->pid, &ended, WEXITED | WNOWAIT) < 0 && errno == EINTR)
        ;
    pthread_mutex_lock(&daemon->lock);
    waitpid(daemon->pid, NULL, 0);
    daemon->pid = 0;
    pthread_mutex_unlock(&daemon->lock);
}

/* Whoever finds that it is gone shall know why. argv is our starter's, which waits no more once it is ready. */
static void set_ended(struct daemon *daemon)
{
    pthread_mutex_lock(&daemon->lock);
    if (daemon->state == STARTING)
        fprintf(stderr, "%s ended before it was ready:\n%s\n", daemon->argv[0], daemon->said);
    else if (!daemon->stopping)
        fprintf(stderr, "the broker ended by itself; it said last:\n%s\n", daemon->said);
    daemon->state = ENDED;
    pthread_cond_broadcast(&daemon->changed);
    pthread_mutex_unlock(&daemon->lock);
}

static void *keep(void *context)
{
    struct daemon *daemon = context;
    const pid_t parent = getpid();
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) {
        daemon->error = errno;
        set_state(daemon, ENDED);
        return NULL;
    }
    const pid_t pid = fork();
    if (pid == 0)
        become(daemon, parent, ends[1]);
    close(ends[1]);
    if (pid > 0) {
        pthread_mutex_lock(&daemon->lock);
        daemon->pid = pid;
        pthread_mutex_unlock(&daemon->lock);
        listen_to(daemon, ends[0]);
        reap(daemon);
    } else {
        daemon->error = errno;
    }
    close(ends[0]);
    set_ended(daemon);
    return NULL;
}

/* Waits until the state is no longer `state`, or the time is over; with the lock. */
static void wait_while(struct daemon *daemon, bool (*is_so)(const struct daemon *), int seconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += seconds;
    while (is_so(daemon) && pthread_cond_clockwait(&daemon->changed, &daemon->lock, CLOCK_MONOTONIC, &until) == 0)
        ;
}

static bool is_starting(const struct daemon *daemon)
{
    return daemon->state == STARTING;
}

static bool has_not_ended(const struct daemon *daemon)
{
    return daemon->state != ENDED;
}

static void daemon_free(struct daemon *daemon)
{
    pthread_cond_destroy(&daemon->changed);
    pthread_mutex_destroy(&daemon->lock);
    free(daemon);
}

static int ready_within_s(void)
{
    const char *text = getenv("IPCMARK_BROKER_SECONDS");
    const int seconds = text == NULL ? 0 : atoi(text);
    return seconds > 0 ? seconds : READY_WITHIN_S;
}

int daemon_start(struct daemon **out, const char *const argv[], const char *folder, const char *ready)
{
    struct daemon *daemon = calloc(1, sizeof *daemon);
    int result;
    if (daemon == NULL)
        return -ENOMEM;
    daemon->argv = argv;
    daemon->folder = folder;
    daemon->ready = ready;
    pthread_mutex_init(&daemon->lock, NULL);
    pthread_cond_init(&daemon->changed, NULL);
    result = thread_start(&daemon->thread, keep, daemon);
    if (result < 0) {
        daemon_free(daemon);
        return result;
    }
    pthread_mutex_lock(&daemon->lock);
    wait_while(daemon, is_starting, ready_within_s());
    if (daemon->state == READY) {
        pthread_mutex_unlock(&daemon->lock); /* from here on the thread looks at argv and folder no more */
        *out = daemon;
        return 0;
    }
    result = daemon->state == STARTING ? -ETIMEDOUT : daemon->error != 0 ? -daemon->error : -ECHILD;
    if (daemon->pid > 0)
        kill(daemon->pid, SIGKILL);
    pthread_mutex_unlock(&daemon->lock);
    pthread_join(daemon->thread, NULL);
    daemon_free(daemon);
    return result;
}

void daemon_stop(struct daemon *daemon)
{
    pthread_mutex_lock(&daemon->lock);
    daemon->stopping = true;
    if (daemon->pid > 0)
        kill(daemon->pid, SIGTERM);
    wait_while(daemon, has_not_ended, END_WITHIN_S);
    if (daemon->pid > 0)
        kill(daemon->pid, SIGKILL);
    pthread_mutex_unlock(&daemon->lock);
    pthread_join(daemon->thread, NULL);
    daemon_free(daemon);
}
