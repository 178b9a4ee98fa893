/* FIFO, Unix stream socket and TCP, as bare as they can be: an 8-byte length before each message, one system call to
 * send it, as many messages as a buffer holds for one read, no thread between the read and the handler. */
#include "transport.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum { PIPE_BYTES = 1 << 20, SMALL_BYTES = 4096, READ_BYTES = 256 << 10, HEAD_BYTES = sizeof(uint64_t) };

struct receiver {
    int listener;  /* -1: a FIFO, whose fd is there from the start */
    atomic_int fd; /* set by the thread once somebody has connected */
    pthread_t thread;
    atomic_bool stopping;
    message_handler *handler;
    void *user;
    unsigned char *buffer;
    size_t capacity;
    char path[PATH_MAX];
};

struct sender {
    int fd;
    unsigned char
        small[HEAD_BYTES + SMALL_BYTES]; /* a small message is copied behind its length: cheaper than writev */
};

/* Hands over what is whole. Returns how many bytes of it there were. */
static size_t take_frames(const struct receiver *receiver, size_t filled)
{
    size_t at = 0;

    while (filled - at >= HEAD_BYTES) {
        uint64_t size;
        memcpy(&size, receiver->buffer + at, sizeof size);
        if (size > filled - at - HEAD_BYTES)
            break;
        receiver->handler(receiver->user, receiver->buffer + at + HEAD_BYTES, size);
        at += HEAD_BYTES + size;
    }
    return at;
}

static void *receive(void *argument)
{
    struct receiver *receiver = argument;
    size_t filled = 0;
    int fd = receiver->fd;

    if (receiver->listener >= 0)
        receiver->fd = fd = accept4(receiver->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return NULL;
    while (!atomic_load_explicit(&receiver->stopping, memory_order_relaxed)) { /* nothing else is handed over by it */
        ssize_t got = read(fd, receiver->buffer + filled, receiver->capacity - filled);
        size_t taken;
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return NULL; /* the sender is gone, or we are closing */
        filled += (size_t)got;
        taken = take_frames(receiver, filled);
        filled -= taken;
        if (taken > 0 && filled > 0)
            memmove(receiver->buffer, receiver->buffer + taken, filled);
    }
    return NULL;
}

static int receiver_make(struct receiver **out, const struct place *place, message_handler *handler, void *user)
{
    struct receiver *receiver = calloc(1, sizeof *receiver);
    int result = receiver == NULL ? -ENOMEM : place_path(receiver->path, sizeof receiver->path, place);

    if (result < 0)
        goto out;
    receiver->listener = -1;
    receiver->fd = -1;
    receiver->handler = handler;
    receiver->user = user;
    /* Exactly a large message, so that no piece of the next one has to be moved. */
    receiver->capacity = HEAD_BYTES + (place->message_bytes > READ_BYTES ? place->message_bytes : READ_BYTES);
    receiver->buffer = malloc(receiver->capacity);
    if (receiver->buffer == NULL)
        result = -ENOMEM;
out:
    if (result < 0)
        free(receiver);
    else
        *out = receiver;
    return result;
}

static void receiver_free(struct receiver *receiver)
{
    if (receiver->listener >= 0)
        close(receiver->listener);
    if (receiver->fd >= 0)
        close(receiver->fd);
    free(receiver->buffer);
    free(receiver);
}

static int receiver_start(void **out, struct receiver *receiver)
{
    int result = -pthread_create(&receiver->thread, NULL, receive, receiver);
    if (result == 0)
        *out = receiver;
    return result;
}

static void remove_files(const struct receiver *receiver)
{
    unlink(receiver->path);
}

static void join_and_free(struct receiver *receiver)
{
    pthread_join(receiver->thread, NULL);
    remove_files(receiver);
    receiver_free(receiver);
}

/* ---- FIFO ---- */

static int fifo_receiver_open(void **out, const struct place *place, message_handler *handler, void *user)
{
    struct receiver *receiver;
    int result = receiver_make(&receiver, place, handler, user);

    if (result < 0)
        return result;
    if (mkfifo(receiver->path, 0600) != 0) {
        result = -errno;
        goto out;
    }
    /* Both ways, so that it neither waits for the sender nor ends with it. */
    receiver->fd = open(receiver->path, O_RDWR | O_CLOEXEC);
    result = receiver->fd < 0 ? -errno : 0;
    if (result == 0)
        (void)fcntl(receiver->fd, F_SETPIPE_SZ, PIPE_BYTES); /* not allowed: then with what there is */
    if (result == 0)
        result = receiver_start(out, receiver);
    if (result < 0)
        remove_files(receiver);
out:
    if (result < 0)
        receiver_free(receiver);
    return result;
}

static void fifo_receiver_close(void *object)
{
    struct receiver *receiver = object;
    const uint64_t nothing = UINT64_MAX; /* a frame that never ends: the reader wakes, and sees that it is to stop */

    atomic_store_explicit(&receiver->stopping, true, memory_order_relaxed);
    if (write(receiver->fd, &nothing, sizeof nothing) < 0)
        abort(); /* of a pipe that was read until now */
    join_and_free(receiver);
}

static int sender_make(struct sender **out, int fd)
{
    struct sender *sender = calloc(1, sizeof *sender);

    if (sender == NULL) {
        close(fd);
        return -ENOMEM;
    }
    sender->fd = fd;
    *out = sender;
    return 0;
}

static int fifo_sender_open(void **out, const struct place *place)
{
    char path[PATH_MAX];
    int result = place_path(path, sizeof path, place), fd;

    if (result < 0)
        return result;
    fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd < 0 ? -errno : sender_make((struct sender **)out, fd);
}

/* ---- sockets ---- */

static int socket_receiver_open(void **out, const struct place *place, message_handler *handler, void *user,
                                int (*listen_at)(const char *path))
{
    struct receiver *receiver;
    int result = receiver_make(&receiver, place, handler, user);

    if (result < 0)
        return result;
    result = receiver->listener = listen_at(receiver->path);
    if (result >= 0 && (result = receiver_start(out, receiver)) < 0)
        remove_files(receiver);
    if (result < 0)
        receiver_free(receiver);
    return result < 0 ? result : 0;
}

static void socket_receiver_close(void *object)
{
    struct receiver *receiver = object;

    atomic_store_explicit(&receiver->stopping, true, memory_order_relaxed);
    shutdown(receiver->listener, SHUT_RDWR); /* whichever of the two the thread waits for */
    if (receiver->fd >= 0)
        shutdown(receiver->fd, SHUT_RDWR);
    join_and_free(receiver);
}

static int listen_or_close(int fd, const void *address, socklen_t size)
{
    int result = bind(fd, address, size) != 0 || listen(fd, 1) != 0 ? -errno : fd;
    if (result < 0)
        close(fd);
    return result;
}

static int connect_or_close(struct sender **out, int fd, const void *address, socklen_t size)
{
    if (connect(fd, address, size) != 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return sender_make(out, fd);
}

static int unix_address(struct sockaddr_un *address, const char *path)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address->sun_path)
        return -ENAMETOOLONG;
    memcpy(address->sun_path, path, strlen(path) + 1);
    return 0;
}

static int unix_listen(const char *path)
{
    struct sockaddr_un address;
    int result = unix_address(&address, path), fd;

    if (result < 0)
        return result;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : listen_or_close(fd, &address, sizeof address);
}

static int unix_receiver_open(void **out, const struct place *place, message_handler *handler, void *user)
{
    return socket_receiver_open(out, place, handler, user, unix_listen);
}

static int unix_sender_open(void **out, const struct place *place)
{
    struct sockaddr_un address;
    char path[PATH_MAX];
    int result = place_path(path, sizeof path, place), fd;

    if (result < 0 || (result = unix_address(&address, path)) < 0)
        return result;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : connect_or_close((struct sender **)out, fd, &address, sizeof address);
}

/* The port is what the link beside says. */
static int tcp_listen(const char *path)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    char port[16];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    if ((fd = listen_or_close(fd, &address, sizeof address)) < 0)
        return fd;
    if (getsockname(fd, (struct sockaddr *)&address, &size) == 0) {
        snprintf(port, sizeof port, "%d", ntohs(address.sin_port));
        if (symlink(port, path) == 0)
            return fd;
    }
    close(fd);
    return -EIO;
}

static int tcp_receiver_open(void **out, const struct place *place, message_handler *handler, void *user)
{
    return socket_receiver_open(out, place, handler, user, tcp_listen);
}

/* Buffer sizes are left alone: setting them ends the kernel's own tuning. */
static int tcp_sender_open(void **out, const struct place *place)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char path[PATH_MAX], port[16] = "";
    int result = place_path(path, sizeof path, place), fd, on = 1;

    if (result < 0)
        return result;
    if (readlink(path, port, sizeof port - 1) < 0)
        return -errno;
    address.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return connect_or_close((struct sender **)out, fd, &address, sizeof address);
}

/* ---- sending, all three ---- */

static int write_rest(int fd, const unsigned char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t done = write(fd, bytes, size);
        if (done < 0 && errno != EINTR)
            return -errno;
        bytes += done > 0 ? done : 0;
        size -= done > 0 ? (size_t)done : 0;
    }
    return 0;
}

static int send_small(struct sender *sender, const void *data, size_t size)
{
    memcpy(sender->small, &(uint64_t){size}, HEAD_BYTES);
    memcpy(sender->small + HEAD_BYTES, data, size);
    return write_rest(sender->fd, sender->small, HEAD_BYTES + size);
}

static int send_message(void *object, const void *data, size_t size)
{
    struct sender *sender = object;
    uint64_t head = size;
    struct iovec pieces[2] = {{&head, HEAD_BYTES}, {NULL, size}};
    ssize_t done;

    if (size <= SMALL_BYTES)
        return send_small(sender, data, size);
    memcpy(&pieces[1].iov_base, &data, sizeof data); /* writev does not write to it, though its type says so */
    do
        done = writev(sender->fd, pieces, 2);
    while (done < 0 && errno == EINTR);
    if (done < 0)
        return -errno;
    if (done < HEAD_BYTES) /* never seen: a stream that takes less than a length */
        return -EIO;
    return write_rest(sender->fd, (const unsigned char *)data + ((size_t)done - HEAD_BYTES),
                      size - ((size_t)done - HEAD_BYTES));
}

static void sender_close(void *object)
{
    struct sender *sender = object;
    close(sender->fd);
    free(sender);
}

const struct transport transport_fifo = {"fifo",           fifo_receiver_open, fifo_receiver_close,
                                         fifo_sender_open, send_message,       sender_close};
const struct transport transport_unix = {"unix",           unix_receiver_open, socket_receiver_close,
                                         unix_sender_open, send_message,       sender_close};
const struct transport transport_tcp = {"tcp",           tcp_receiver_open, socket_receiver_close,
                                        tcp_sender_open, send_message,      sender_close};
