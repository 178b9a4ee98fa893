/* UDP over the loopback interface: a socket an endpoint, a datagram a message and subscriber.
 *
 * A datagram is in the receiver's buffer when sendmsg returns, or it was dropped because that was full, and nobody is
 * told: the implementation that shows what a reliable one has to be paid for. A subscriber advertises its port and a
 * random token, which each datagram repeats: others can reach the port, too. */
#include "frame.h"
#include "intake.h"
#include "roster.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    DATAGRAM_MAX = 65507,
    TOKEN = IDENTITY_TEXT - 1,
    FRAME_MAX = DATAGRAM_MAX - TOKEN,
    MESSAGE_MAX = FRAME_MAX - 4096, /* the rest is for the sizes of up to a thousand parts */
    RECEIVE_BUFFER = 8 << 20        /* bytes asked for: what is not read in time is lost; the kernel may give less */
};

struct member {
    struct member *next;
    struct sockaddr_in address;
    char token[IDENTITY_TEXT], id[ENDPOINT_NAME];
};

struct publisher {
    struct endpoint endpoint;
    struct roster *roster;
    int socket;
    pthread_mutex_t lock;
    pthread_cond_t idle;
    struct member *members;
    bool closing;
    int count, callers;
    char frame[FRAME_MAX];
};

struct subscriber {
    struct endpoint endpoint;
    struct roster *roster;
    int socket;
    struct sockaddr_in address;
    char token[IDENTITY_TEXT];
    atomic_int publishers;
    struct intake intake;
    struct frame_reader reader;
    ipcmark_deliver_fn *deliver;
    void *context;
};

static int publisher_joined(void *context, const char *id, const char *address, void **out)
{
    struct publisher *publisher = context;
    struct member *member = calloc(1, sizeof *member);
    unsigned port;
    if (member == NULL)
        return -ENOMEM;
    if (sscanf(address, "%5u %16[0-9a-f]", &port, member->token) != 2 || port == 0 || port > 0xffff) {
        free(member);
        return -EINVAL;
    }
    member->address = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((in_port_t)port)};
    snprintf(member->id, sizeof member->id, "%s", id);
    pthread_mutex_lock(&publisher->lock);
    member->next = publisher->members;
    publisher->members = member;
    ++publisher->count;
    pthread_mutex_unlock(&publisher->lock);
    endpoint_report(&publisher->endpoint, id, true);
    *out = member;
    return 0;
}

static void publisher_left(void *context, void *what)
{
    struct publisher *publisher = context;
    struct member *member = what, **at = &publisher->members;
    pthread_mutex_lock(&publisher->lock);
    while (*at != member)
        at = &(*at)->next;
    *at = member->next;
    --publisher->count;
    const bool report = !publisher->closing;
    pthread_mutex_unlock(&publisher->lock);
    if (report)
        endpoint_report(&publisher->endpoint, member->id, false);
    free(member);
}

static void publisher_free(struct publisher *publisher)
{
    roster_close(publisher->roster);
    if (publisher->socket >= 0)
        close(publisher->socket);
    pthread_cond_destroy(&publisher->idle);
    pthread_mutex_destroy(&publisher->lock);
    free(publisher);
}

static int udp_publisher_open(void **out, const ipcmark_endpoint *options)
{
    static const struct roster_kind kind = {
        .driver = "udp", .is_publisher = true, .joined = publisher_joined, .left = publisher_left};
    struct publisher *publisher = calloc(1, sizeof *publisher);
    if (publisher == NULL)
        return -ENOMEM;
    pthread_mutex_init(&publisher->lock, NULL);
    pthread_cond_init(&publisher->idle, NULL);
    publisher->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int result = publisher->socket < 0 ? -errno : endpoint_copy(&publisher->endpoint, options);
    if (result == 0)
        result = roster_open(&publisher->roster, &publisher->endpoint, options->directory, &kind, "", publisher);
    if (result == 0)
        result = roster_start(publisher->roster);
    if (result < 0) {
        publisher_free(publisher);
        return result;
    }
    *out = publisher;
    return 0;
}

/* With the lock. One that could not be sent to may be the only one. */
static int send_to_all(struct publisher *publisher, size_t size)
{
    int result = 0;
    for (struct member *member = publisher->members; member != NULL; member = member->next) {
        struct iovec pieces[] = {{member->token, TOKEN}, {publisher->frame, size}};
        const struct msghdr message = {
            .msg_name = &member->address, .msg_namelen = sizeof member->address, .msg_iov = pieces, .msg_iovlen = 2};
        ssize_t sent;
        do
            sent = sendmsg(publisher->socket, &message, MSG_NOSIGNAL);
        while (sent < 0 && errno == EINTR);
        if (sent < 0)
            result = -EIO;
    }
    return result;
}

static int udp_publish(void *handle, const ipcmark_part *parts, size_t count)
{
    struct publisher *publisher = handle;
    struct frame frame;
    int result = frame_begin(&frame, parts, count, publisher->endpoint.max_bytes);
    if (result < 0)
        return result;
    pthread_mutex_lock(&publisher->lock);
    ++publisher->callers;
    if (publisher->closing) {
        result = -ESHUTDOWN;
    } else if (frame.size > FRAME_MAX) {
        result = -EMSGSIZE;
    } else {
        frame_copy(&frame, publisher->frame);
        result = send_to_all(publisher, frame.size);
    }
    if (--publisher->callers == 0 && publisher->closing)
        pthread_cond_broadcast(&publisher->idle);
    pthread_mutex_unlock(&publisher->lock);
    frame_end(&frame);
    return result;
}

static int udp_publisher_peers(void *handle)
{
    struct publisher *publisher = handle;
    pthread_mutex_lock(&publisher->lock);
    const int count = publisher->count;
    pthread_mutex_unlock(&publisher->lock);
    return count;
}

static void udp_publisher_close(void *handle)
{
    struct publisher *publisher = handle;
    pthread_mutex_lock(&publisher->lock);
    publisher->closing = true;
    while (publisher->callers > 0)
        pthread_cond_wait(&publisher->idle, &publisher->lock);
    pthread_mutex_unlock(&publisher->lock);
    publisher_free(publisher);
}

/* Returns a socket that is bound to a port of its own, whose address is put into *address. */
static int bound_socket(struct sockaddr_in *address)
{
    const int size = RECEIVE_BUFFER;
    socklen_t address_size = sizeof *address;
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0) /* beyond net.core.rmem_max, as root */
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (bind(fd, (struct sockaddr *)address, address_size) < 0 ||
        getsockname(fd, (struct sockaddr *)address, &address_size) < 0) {
        const int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

/* A datagram from a stranger, or cut off, is nobody's message. */
static void deliver(struct subscriber *subscriber)
{
    const ipcmark_part *parts;
    size_t count;
    if (frame_reader_next(&subscriber->reader, &parts, &count) > 0 &&
        subscriber->reader.head == subscriber->reader.tail)
        subscriber->deliver(subscriber->context, parts, count);
}

static void receive(void *context)
{
    struct subscriber *subscriber = context;
    while (!intake_is_closing(&subscriber->intake)) {
        char token[TOKEN];
        void *at;
        size_t room;
        subscriber->reader.head = subscriber->reader.tail = 0;
        if (frame_reader_space(&subscriber->reader, &at, &room) < 0)
            return;
        struct iovec pieces[] = {{token, sizeof token}, {at, room}};
        struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
        const ssize_t got = recvmsg(subscriber->socket, &message, 0);
        if (got <= TOKEN || memcmp(token, subscriber->token, TOKEN) != 0)
            continue;
        frame_reader_filled(&subscriber->reader, (size_t)got - TOKEN);
        deliver(subscriber);
    }
}

/* If there is no room for it, there is something to wake up for already. */
static void wake(void *context)
{
    struct subscriber *subscriber = context;
    sendto(subscriber->socket, "", 0, MSG_DONTWAIT, (struct sockaddr *)&subscriber->address,
           sizeof subscriber->address);
}

static int subscriber_joined(void *context, const char *id, const char *address, void **out)
{
    struct subscriber *subscriber = context;
    (void)address;
    if ((*out = strdup(id)) == NULL)
        return -ENOMEM;
    atomic_fetch_add(&subscriber->publishers, 1);
    endpoint_report(&subscriber->endpoint, id, true);
    return 0;
}

static void subscriber_left(void *context, void *what)
{
    struct subscriber *subscriber = context;
    atomic_fetch_sub(&subscriber->publishers, 1);
    if (!intake_is_closing(&subscriber->intake))
        endpoint_report(&subscriber->endpoint, what, false);
    free(what);
}

static void subscriber_free(void *context)
{
    struct subscriber *subscriber = context;
    roster_close(subscriber->roster);
    if (subscriber->socket >= 0)
        close(subscriber->socket);
    frame_reader_close(&subscriber->reader);
    free(subscriber);
}

static int udp_subscriber_open(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *deliver_, void *context)
{
    static const struct roster_kind kind = {
        .driver = "udp", .is_publisher = false, .joined = subscriber_joined, .left = subscriber_left};
    struct subscriber *subscriber = calloc(1, sizeof *subscriber);
    char address[ROSTER_ADDRESS];
    if (subscriber == NULL)
        return -ENOMEM;
    subscriber->deliver = deliver_;
    subscriber->context = context;
    identity_make(subscriber->token);
    int result = subscriber->socket = bound_socket(&subscriber->address);
    snprintf(address, sizeof address, "%u %s", ntohs(subscriber->address.sin_port), subscriber->token);
    if (result >= 0)
        result = endpoint_copy(&subscriber->endpoint, options);
    if (result == 0)
        result = frame_reader_open(&subscriber->reader, FRAME_MAX);
    if (result == 0)
        result =
            roster_open(&subscriber->roster, &subscriber->endpoint, options->directory, &kind, address, subscriber);
    if (result == 0)
        result = intake_start(&subscriber->intake, receive, subscriber_free, subscriber);
    if (result < 0) {
        subscriber_free(subscriber);
        return result;
    }
    result = roster_start(subscriber->roster);
    if (result < 0) {
        intake_close(&subscriber->intake, wake);
        return result;
    }
    *out = subscriber;
    return 0;
}

static int udp_subscriber_peers(void *handle)
{
    return atomic_load(&((struct subscriber *)handle)->publishers);
}

static void udp_subscriber_close(void *handle)
{
    struct subscriber *subscriber = handle;
    intake_close(&subscriber->intake, wake);
}

const ipcmark_driver *ipcmark_driver_get(void)
{
    static const ipcmark_driver driver = {
        .abi = IPCMARK_DRIVER_ABI,
        .size = sizeof driver,
        .name = "udp",
        .version = IPCMARK_VERSION,
        .summary = "UDP over loopback: whoever does not read in time loses",
        .capabilities = IPCMARK_CAP_MULTIPART | IPCMARK_CAP_EMPTY_MESSAGE | IPCMARK_CAP_PEERS |
                        IPCMARK_CAP_PEER_EVENTS | IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH | IPCMARK_CAP_THREADS |
                        IPCMARK_CAP_NO_SELF_DELIVERY | IPCMARK_CAP_PUBLISH_IN_HANDLER | IPCMARK_CAP_CLOSE_IN_HANDLER |
                        IPCMARK_CAP_DIRECTORY_FILES | IPCMARK_CAP_ISOLATION_DIRECTORY,
        .max_message_bytes = MESSAGE_MAX,
        .publisher_open = udp_publisher_open,
        .publish = udp_publish,
        .publisher_peers = udp_publisher_peers,
        .publisher_close = udp_publisher_close,
        .subscriber_open = udp_subscriber_open,
        .subscriber_peers = udp_subscriber_peers,
        .subscriber_close = udp_subscriber_close,
    };
    return &driver;
}
