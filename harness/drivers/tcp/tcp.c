/* TCP over the loopback interface: one connection for each (publisher, subscriber) pair.
 *
 * A subscriber listens on a port of 127.0.0.1 that the system chooses and advertises it in a file, with a random token
 * that the publisher's HELLO must repeat: any user of the machine can reach the port, only who may read the file gets
 * in.
 *
 * After the handshake the subscriber never sends a byte. A publisher's socket therefore has nothing unread when it is
 * closed, by a kill too, and the kernel ends it with FIN behind the data and not with RST in their place.
 */
#include "frame.h"
#include "publisher.h"
#include "subscriber.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* SO_SNDBUF and SO_RCVBUF are left alone on purpose: setting them ends the kernel's own tuning, see README.md. */

static int loopback_listen(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, SOMAXCONN) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

static int advertisement_write(int fd, int socket, const char *token)
{
    struct sockaddr_in address = {0};
    socklen_t size = sizeof address;
    if (getsockname(socket, (struct sockaddr *)&address, &size) < 0)
        return -errno;
    return dprintf(fd, "%u %s\n", ntohs(address.sin_port), token) < 0 ? -errno : 0;
}

/* Returns the port. */
static int advertisement_read(int fd, char token[TOKEN_TEXT])
{
    char text[64], secret[TOKEN_TEXT];
    int port;
    ssize_t size = read(fd, text, sizeof text - 1);
    if (size < 0)
        return -errno;
    text[size] = '\0';
    _Static_assert(TOKEN_TEXT == 33, "the width below");
    if (sscanf(text, "%5d %32[0-9a-f]", &port, secret) != 2 || port <= 0 || port > 0xffff)
        return -EINVAL;
    memcpy(token, secret, sizeof secret);
    return port;
}

static int tcp_listen(const struct directory *directory, const char *stem, struct listener *out)
{
    int result;
    identity_make(out->token);
    identity_make(out->token + IDENTITY_TEXT - 1);
    out->advertisement = directory_create(directory, stem, "new", O_RDWR, out->name);
    if (out->advertisement < 0)
        return out->advertisement;
    result = out->fd = loopback_listen();
    if (result >= 0)
        result = advertisement_write(out->advertisement, out->fd, out->token);
    return result < 0 ? result : 0; /* listener_close ends what there is */
}

static int tcp_accept(const struct directory *directory, const struct listener *listener, struct link *out)
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

static int loopback_connect(int port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((in_port_t)port)};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 ||
        (connect(fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS)) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

static int tcp_connect(const struct directory *directory, const char *advertisement, char token[TOKEN_TEXT],
                       struct link *out)
{
    int result, fd = directory_open_live(directory, advertisement, O_RDONLY);
    if (fd < 0)
        return fd;
    result = advertisement_read(fd, token);
    close(fd);
    if (result >= 0)
        result = loopback_connect(result);
    if (result < 0)
        return result;
    out->in = out->out = result;
    return 0;
}

static ssize_t tcp_send(int fd, const struct iovec *vector, int count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)vector, .msg_iovlen = (size_t)count};
    return count == 1 ? send(fd, vector->iov_base, vector->iov_len, MSG_NOSIGNAL) : sendmsg(fd, &message, MSG_NOSIGNAL);
}

static const struct transport transport = {.name = "tcp",
                                           .file_type = S_IFREG,
                                           .listen = tcp_listen,
                                           .accept = tcp_accept,
                                           .connect = tcp_connect,
                                           .send = tcp_send};

static int open_publisher(void **out, const ipcmark_endpoint *endpoint)
{
    return publisher_open(out, endpoint, &transport);
}

static int open_subscriber(void **out, const ipcmark_endpoint *endpoint, ipcmark_deliver_fn *deliver, void *context)
{
    return subscriber_open(out, endpoint, &transport, deliver, context);
}

const ipcmark_driver *ipcmark_driver_get(void)
{
    static const ipcmark_driver driver = {
        .abi = IPCMARK_DRIVER_ABI,
        .size = sizeof driver,
        .name = "tcp",
        .version = IPCMARK_VERSION,
        .summary = "TCP over loopback, one connection a pair",
        .capabilities = STREAM_CAPABILITIES | IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH,
        .max_message_bytes = FRAME_BYTES_MAX,
        .publisher_open = open_publisher,
        .publish = publisher_publish,
        .publisher_peers = publisher_peers,
        .publisher_close = publisher_close,
        .subscriber_open = open_subscriber,
        .subscriber_peers = subscriber_peers,
        .subscriber_close = subscriber_close,
    };
    return &driver;
}
