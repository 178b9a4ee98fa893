#include "../os.h"
#include "descriptor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

enum { BACKLOG = 512 };

/* A sockaddr holds 108 bytes, a directory's path may be longer: the way through the descriptor is short. */
static void address_of(int directory, const char *name, struct sockaddr_un *out)
{
    memset(out, 0, sizeof *out);
    out->sun_family = AF_UNIX;
    snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/%s", directory, name);
}

static int local_socket(void)
{
    descriptor_hold();
    return descriptor_keep(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

int os_socket_listen(int directory, const char *name, bool for_all)
{
    struct sockaddr_un address;
    int error, fd = local_socket();
    if (fd < 0)
        return fd;
    address_of(directory, name, &address);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        fchmodat(directory, name, for_all ? 0666 : 0600, 0) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    error = -errno;
    os_close(fd);
    return error;
}

int os_socket_accept(int listener)
{
    descriptor_hold();
    return descriptor_keep(accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

int os_socket_connect(int directory, const char *name)
{
    struct sockaddr_un address;
    int error, fd = local_socket();
    if (fd < 0)
        return fd;
    address_of(directory, name, &address);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    error = -errno;
    os_close(fd);
    return error;
}

int os_socket_peer(int fd, struct os_peer *out)
{
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    int pidfd = -1;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
        return -errno;
    descriptor_hold();
    size = sizeof pidfd;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) != 0)
        pidfd = -1;
    /* An older kernel: by number. Should the number have been given to another process meanwhile, the socket has hung
     * up already, and that is noticed first. */
    if (pidfd < 0 && credentials.pid > 0)
        pidfd = (int)syscall(SYS_pidfd_open, credentials.pid, 0);
    out->pid = credentials.pid;
    out->uid = credentials.uid;
    pidfd = descriptor_keep(pidfd);
    out->pidfd = pidfd < 0 ? -1 : pidfd;
    return 0;
}

void os_socket_finish(int fd)
{
    shutdown(fd, SHUT_WR);
}

int os_socket_send(int fd, const void *data, size_t size, const int *fds, int fd_count)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * OS_FDS_MAX)];
    } control;
    struct iovec piece = {.iov_base = (void *)(uintptr_t)data, .iov_len = size};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (fd_count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)fd_count);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int) * (size_t)fd_count);
        memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * (size_t)fd_count);
    }
    return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

ssize_t os_socket_receive(int fd, void *data, size_t capacity, int *fds, int *fd_count)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * OS_FDS_MAX)];
    } control;
    struct iovec piece = {.iov_base = data, .iov_len = capacity};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    ssize_t got;
    *fd_count = 0;
    descriptor_hold();
    got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (got < 0)
        return descriptor_keep(-1);
    for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at != NULL; at = CMSG_NXTHDR(&message, at)) {
        if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS)
            continue;
        *fd_count = (int)((at->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(fds, CMSG_DATA(at), sizeof(int) * (size_t)*fd_count);
        break;
    }
    descriptor_keep_all(fds, *fd_count);
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 && (got > 0 || *fd_count == 0))
        return got;
    for (int i = 0; i < *fd_count;
         ++i) /* cut short, or descriptors with nothing said: what did come through must not leak */
        os_close_foreign(fds[i]);
    *fd_count = 0;
    return (message.msg_flags & MSG_CTRUNC) != 0 ? -EMFILE : -EPROTO;
}
