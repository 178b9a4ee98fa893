/* TCP over the loopback interface: one connection for each (publisher, subscriber) pair.
 *
 * A subscriber listens on a port of 127.0.0.1 that the system chooses and advertises it in a file, with a random token
 * that the publisher's HELLO must repeat: any user of the machine can reach the port, only who may read the file gets
 * in.
 *
 * After the handshake the subscriber never sends a byte. A publisher's socket therefore has nothing unread when it is
 * closed, by a kill too, and the kernel ends it with FIN behind the data and not with RST in their place.
 */
#include "sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* SO_SNDBUF and SO_RCVBUF are left alone on purpose: setting them ends the kernel's own tuning, see README.md. */

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((in_port_t)port)};
}

static int listen_at_port(char address[SOCKET_ADDRESS])
{
    struct sockaddr_in any = loopback(0);
    socklen_t size = sizeof any;
    const int fd = socket_listening((struct sockaddr *)&any, size);
    if (fd < 0)
        return fd;
    if (getsockname(fd, (struct sockaddr *)&any, &size) < 0) {
        const int error = errno;
        close(fd);
        return -error;
    }
    snprintf(address, SOCKET_ADDRESS, "%u", ntohs(any.sin_port));
    return fd;
}

static int connect_to_port(const char *address)
{
    const int port = atoi(address), on = 1;
    const struct sockaddr_in there = loopback(port);
    if (port <= 0 || port > 0xffff)
        return -EINVAL;
    const int fd = socket_connecting((const struct sockaddr *)&there, sizeof there);
    if (fd >= 0 && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0) {
        const int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

static int tcp_listen(const struct directory *directory, const char *stem, struct listener *out)
{
    return sockets_listen(directory, stem, listen_at_port, out);
}

static int tcp_connect(const struct directory *directory, const char *advertisement, char token[TOKEN_TEXT],
                       struct link *out)
{
    return sockets_connect(directory, advertisement, connect_to_port, token, out);
}

const struct transport stream_transport = {
    .name = "tcp",
    .summary = "TCP over loopback, one connection a pair",
    .file_type = S_IFREG,
    .listen = tcp_listen,
    .accept = sockets_accept,
    .connect = tcp_connect,
    .send = sockets_send,
};
