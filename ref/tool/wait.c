/* Waiting, with an eye on the signals that end a command. */
#include "tool.h"

#include "os/os.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { AWAITED_MAX = 128 };

static int signals = -1, stopped_by;

/* Through a descriptor, so that none is lost between a look and a wait. What the caller of the tool ignores (nohup)
 * stays ignored: an ignored signal does not arrive there. */
int stop_watch(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return -errno;
    signal(SIGPIPE, SIG_IGN); /* writing says it */
    signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return signals < 0 ? -errno : 0;
}

int stop_signal(void)
{
    struct signalfd_siginfo what;
    if (stopped_by == 0 && signals >= 0 && read(signals, &what, sizeof what) == (ssize_t)sizeof what)
        stopped_by = (int)what.ssi_signo;
    return stopped_by;
}

/* NULL: no deadline. */
static struct timespec *time_left(int64_t deadline_ns, struct timespec *left)
{
    int64_t ns = deadline_ns - os_now_ns();
    if (deadline_ns < 0)
        return NULL;
    ns = ns < 0 ? 0 : ns;
    *left = (struct timespec){(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    return left;
}

enum awaited await_many(struct pollfd *polled, int count, int64_t deadline_ns)
{
    struct pollfd all[AWAITED_MAX + 1];
    struct timespec left;
    if (count > AWAITED_MAX)
        abort();
    memcpy(all, polled, (size_t)count * sizeof *polled);
    all[count] = (struct pollfd){.fd = signals, .events = POLLIN};
    while (stop_signal() == 0) { /* one that came earlier, too */
        const int ready = ppoll(all, (nfds_t)count + 1, time_left(deadline_ns, &left), NULL);
        if (stop_signal() != 0)
            break;
        if (ready < 0 && errno == EINTR) /* of a signal that is none of ours: SIGCONT */
            continue;
        memcpy(polled, all, (size_t)count * sizeof *polled);
        return ready == 0 ? AWAITED_TOO_LATE : AWAITED_READY;
    }
    return AWAITED_STOP;
}

enum awaited await(int fd, short events, int64_t deadline_ns)
{
    struct pollfd polled = {.fd = fd, .events = events};
    return await_many(&polled, 1, deadline_ns);
}

int64_t deadline_in(double seconds)
{
    return seconds < 0 ? -1 : os_now_ns() + (int64_t)(seconds * 1e9);
}

int wakeup_open(void)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

void wakeup_signal(int wakeup)
{
    const uint64_t one = 1;
    ssize_t ignored = write(wakeup, &one, sizeof one);
    (void)ignored;
}

void wakeup_clear(int wakeup)
{
    uint64_t count;
    ssize_t ignored = read(wakeup, &count, sizeof count);
    (void)ignored;
}
