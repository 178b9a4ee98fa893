#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker.h"

/* hiredis would leave its own socket to children that are started meanwhile. */
static int connected_socket(const char *host, int port)
{
    const int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((in_port_t)port)};
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
        return -EDESTADDRREQ;
    int result, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0)
        return fd;
    result = -errno;
    close(fd);
    return result;
}

int connection_open_at(redisContext **out, const char *host, int port)
{
    const int fd = connected_socket(host, port);
    if (fd < 0)
        return fd;
    redisContext *connection = redisConnectFd(fd);
    if (connection == NULL) {
        close(fd);
        return -ENOMEM;
    }
    *out = connection;
    return 0;
}

int connection_open(redisContext **out, const ipcmark_endpoint *options)
{
    char host[BROKER_HOST];
    int port, result = broker_address(options, host, &port);
    return result < 0 ? result : connection_open_at(out, host, port);
}

/* Not hiredis' own way of writing, which raises SIGPIPE once the server has gone. */
static int send_all(redisContext *connection, const char *text, size_t size)
{
    while (size > 0) {
        const ssize_t sent = send(connection->fd, text, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return -errno;
        text += sent;
        size -= (size_t)sent;
    }
    return 0;
}

int connection_send(redisContext *connection, const struct word words[], int count)
{
    const char *arguments[WORDS_MAX];
    size_t sizes[WORDS_MAX];
    char *text = NULL;
    for (int i = 0; i < count; ++i) {
        arguments[i] = words[i].data;
        sizes[i] = words[i].size;
    }
    if (connection->err != 0)
        return -ENOTCONN;
    const int size = redisFormatCommandArgv(&text, count, arguments, sizes);
    if (size < 0)
        return -ENOMEM;
    const int result = send_all(connection, text, (size_t)size);
    redisFreeCommand(text);
    if (result == 0)
        return 0;
    connection->err = REDIS_ERR_IO; /* part of it may have gone out: nothing may follow */
    return result == -ENOMEM ? -EIO : result;
}

int connection_reply(redisContext *connection, redisReply **reply)
{
    void *got = NULL;
    errno = 0;
    if (redisGetReply(connection, &got) == REDIS_OK) {
        *reply = got;
        return 0;
    }
    const int error = errno;
    if (connection->err == REDIS_ERR_IO && error > 0 && error != ENOMEM)
        return -error;
    return connection->err == REDIS_ERR_PROTOCOL ? -EPROTO : -ECONNRESET;
}

int reply_error(const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ERROR)
        return 0;
    return strncmp(reply->str, "OOM ", 4) == 0 ? -ENOMEM : -EPROTO;
}

int connection_command(redisContext *connection, const struct word words[], int count, int type, redisReply **reply)
{
    redisReply *got = NULL;
    int result = connection_send(connection, words, count);
    if (result == 0)
        result = connection_reply(connection, &got);
    if (got == NULL)
        return result;
    result = reply_error(got);
    if (result == 0 && got->type != type)
        result = -EPROTO;
    if (result < 0)
        freeReplyObject(got);
    else
        *reply = got;
    return result;
}

void connection_cut(redisContext *connection)
{
    shutdown(connection->fd, SHUT_RDWR);
}
