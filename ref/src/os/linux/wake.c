#include "../os.h"
#include "descriptor.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

int os_event_create(void)
{
    descriptor_hold();
    return descriptor_keep(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

void os_event_signal(int fd)
{
    const uint64_t one = 1;
    ssize_t ignored = write(fd, &one, sizeof one); /* EAGAIN: already signalled, as full as can be */
    (void)ignored;
}

void os_event_clear(int fd)
{
    uint64_t count;
    ssize_t ignored = read(fd, &count, sizeof count);
    (void)ignored;
}

/* A stream socket each way, and not an eventfd or a pipe. Who passes a descriptor on keeps a hold on it: it can clear
 * O_NONBLOCK between anybody's check and call, and an eventfd knows no other way to be written without waiting; with a
 * pipe it can sit on the lock. A socket is told for each call, sending takes no lock that another could hold for long,
 * and the end that is read is never passed on. */
int os_wake_create(int *sender)
{
    int ends[2] = {-1, -1};
    descriptor_hold();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        return descriptor_keep(-1);
    descriptor_keep_all(ends, 2);
    if (ends[0] < 0 || ends[1] < 0) {
        os_close(ends[0]);
        os_close(ends[1]);
        return -ENOMEM;
    }
    *sender = ends[1];
    return ends[0];
}

static int socket_option(int fd, int option)
{
    int value;
    socklen_t size = sizeof value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

int os_wake_check(int sender)
{
    return socket_option(sender, SO_DOMAIN) == AF_UNIX && socket_option(sender, SO_TYPE) == SOCK_STREAM ? 0 : -EPROTO;
}

void os_wake_send(int sender)
{
    ssize_t ignored =
        send(sender, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL); /* EAGAIN: it has been woken hundreds of times */
    (void)ignored;
}

int os_wake_clear(int fd)
{
    char wakes[512]; /* some are unread when we sleep long, never so many */
    ssize_t got = recv(fd, wakes, sizeof wakes, MSG_DONTWAIT);
    return got == 0 || got == (ssize_t)sizeof wakes ? -EPIPE : 0;
}

bool os_barrier_register(void)
{
    return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0) == 0;
}

bool os_barrier_heavy(void)
{
    return syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0) == 0;
}

bool os_barrier_own_register(void)
{
    return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

void os_barrier_own(void)
{
    syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}

int os_timer_create(void)
{
    descriptor_hold();
    return descriptor_keep(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
}

void os_timer_start(int fd, int64_t ns)
{
    const struct itimerspec once = {
        .it_value = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)}};
    timerfd_settime(fd, 0, &once, NULL);
}

/* NULL: no deadline. A deadline that has passed is zero. */
static struct timespec *time_left(int64_t deadline_ns, struct timespec *left)
{
    int64_t ns;
    if (deadline_ns < 0)
        return NULL;
    ns = deadline_ns - os_now_ns();
    if (ns < 0)
        ns = 0;
    left->tv_sec = (time_t)(ns / 1000000000);
    left->tv_nsec = (long)(ns % 1000000000);
    return left;
}

int os_poll(const int *fds, int count, int64_t deadline_ns)
{
    struct pollfd polled[OS_FDS_MAX];
    struct timespec left;
    int ready;
    if (count > OS_FDS_MAX)
        return -EINVAL;
    for (int i = 0; i < count; ++i)
        polled[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    ready = ppoll(polled, (nfds_t)count, time_left(deadline_ns, &left), NULL);
    if (ready < 0)
        return errno == EINTR ? 1 : -errno; /* a signal: the caller looks again */
    return ready > 0;
}

int os_poller_create(void)
{
    descriptor_hold();
    return descriptor_keep(epoll_create1(EPOLL_CLOEXEC));
}

int os_poller_add(int poller, int fd, void *data, bool edge)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | (edge ? (uint32_t)EPOLLET : 0), .data = {.ptr = data}};
    return epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

void os_poller_remove(int poller, int fd)
{
    epoll_ctl(poller, EPOLL_CTL_DEL, fd, NULL);
}

int os_poller_wait(int poller, void **data, int capacity, int64_t deadline_ns)
{
    struct epoll_event events[16];
    int64_t ms = -1;
    int ready;
    if (capacity > (int)(sizeof events / sizeof events[0]))
        capacity = (int)(sizeof events / sizeof events[0]);
    if (deadline_ns >= 0) {
        ms = (deadline_ns - os_now_ns() + 999999) / 1000000;
        ms = ms < 0 ? 0 : ms > 3600000 ? 3600000 : ms;
    }
    ready = epoll_wait(poller, events, capacity, (int)ms);
    if (ready < 0)
        return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < ready; ++i)
        data[i] = events[i].data.ptr;
    return ready;
}
