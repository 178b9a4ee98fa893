#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int sockets_listen(const struct directory *directory, const char *stem, socket_listen_fn *listen_at,
                   struct listener *out)
{
    char address[SOCKET_ADDRESS];
    identity_make(out->token);
    identity_make(out->token + IDENTITY_TEXT - 1);
    out->advertisement = directory_create(directory, stem, "new", O_RDWR, out->name);
    if (out->advertisement < 0)
        return out->advertisement;
    out->fd = listen_at(address);
    if (out->fd < 0)
        return out->fd; /* listener_close ends what there is */
    return dprintf(out->advertisement, "%s %s\n", address, out->token) < 0 ? -errno : 0;
}

int sockets_accept(const struct directory *directory, const struct listener *listener, struct link *out)
{
    int fd;
    (void)directory;
    do
        fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (fd < 0)
        return -errno;
    out->in = out->out = fd;
    return 0;
}

static int advertisement_read(int fd, char address[SOCKET_ADDRESS], char token[TOKEN_TEXT])
{
    char text[128], secret[TOKEN_TEXT];
    const ssize_t size = read(fd, text, sizeof text - 1);
    if (size < 0)
        return -errno;
    text[size] = '\0';
    _Static_assert(TOKEN_TEXT == 33 && SOCKET_ADDRESS == 24, "the widths below");
    if (sscanf(text, "%23[0-9a-f] %32[0-9a-f]", address, secret) != 2)
        return -EINVAL;
    memcpy(token, secret, sizeof secret);
    return 0;
}

int sockets_connect(const struct directory *directory, const char *advertisement, socket_connect_fn *connect_to,
                    char token[TOKEN_TEXT], struct link *out)
{
    char address[SOCKET_ADDRESS];
    int result, fd = directory_open_live(directory, advertisement, O_RDONLY);
    if (fd < 0)
        return fd;
    result = advertisement_read(fd, address, token);
    close(fd);
    if (result == 0)
        result = connect_to(address);
    if (result < 0)
        return result;
    out->in = out->out = result;
    return 0;
}

ssize_t sockets_send(int fd, const struct iovec *vector, int count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)vector, .msg_iovlen = (size_t)count};
    return count == 1 ? send(fd, vector->iov_base, vector->iov_len, MSG_NOSIGNAL) : sendmsg(fd, &message, MSG_NOSIGNAL);
}

static int make(const struct sockaddr *address)
{
    const int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

static int give_up(int fd)
{
    const int error = errno;
    close(fd);
    return -error;
}

int socket_listening(const struct sockaddr *address, socklen_t size)
{
    const int fd = make(address);
    return fd >= 0 && (bind(fd, address, size) < 0 || listen(fd, SOMAXCONN) < 0) ? give_up(fd) : fd;
}

int socket_connecting(const struct sockaddr *address, socklen_t size)
{
    const int fd = make(address);
    return fd >= 0 && connect(fd, address, size) < 0 && errno != EINPROGRESS ? give_up(fd) : fd;
}
