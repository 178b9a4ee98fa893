/* UDP over the loopback interface: a socket an endpoint, a datagram a message and subscriber.
 *
 * A datagram is in the receiver's buffer when sendmsg returns, or it was dropped because that was full, and nobody is
 * told: the implementation that shows what a reliable one has to be paid for. A subscriber advertises its port and a
 * random token, which each datagram repeats: others can reach the port, too. */
#include "callers.h"
#include "frame.h"
#include "mailbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdatomic.h>
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
    struct callers callers;
    pthread_mutex_t lock;
    struct member *members;
    atomic_int count;
    char frame[FRAME_MAX];
};

/* ---- the publisher ---- */

static int joined(void *context, const char *id, const char *address, void **out)
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
    atomic_fetch_add(&publisher->count, 1);
    pthread_mutex_unlock(&publisher->lock);
    endpoint_report(&publisher->endpoint, id, true);
    *out = member;
    return 0;
}

static void left(void *context, void *what)
{
    struct publisher *publisher = context;
    struct member *member = what, **at = &publisher->members;
    pthread_mutex_lock(&publisher->lock);
    while (*at != member)
        at = &(*at)->next;
    *at = member->next;
    atomic_fetch_sub(&publisher->count, 1);
    pthread_mutex_unlock(&publisher->lock);
    if (!callers_refused(&publisher->callers))
        endpoint_report(&publisher->endpoint, member->id, false);
    free(member);
}

static void publisher_free(struct publisher *publisher)
{
    callers_await(&publisher->callers);
    roster_close(publisher->roster);
    if (publisher->socket >= 0)
        close(publisher->socket);
    pthread_mutex_destroy(&publisher->lock);
    free(publisher);
}

static int udp_publisher_open(void **out, const ipcmark_endpoint *options)
{
    static const struct roster_kind kind = {.driver = "udp", .is_publisher = true, .joined = joined, .left = left};
    struct publisher *publisher = calloc(1, sizeof *publisher);
    if (publisher == NULL)
        return -ENOMEM;
    pthread_mutex_init(&publisher->lock, NULL);
    callers_init(&publisher->callers);
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

/* One that could not be sent to may be the only one. */
static int send_frame(struct publisher *publisher, const struct frame *frame)
{
    int result = 0;
    pthread_mutex_lock(&publisher->lock);
    frame_copy(frame, publisher->frame);
    for (struct member *member = publisher->members; member != NULL; member = member->next) {
        struct iovec pieces[] = {{member->token, TOKEN}, {publisher->frame, frame->size}};
        const struct msghdr message = {
            .msg_name = &member->address, .msg_namelen = sizeof member->address, .msg_iov = pieces, .msg_iovlen = 2};
        ssize_t sent;
        do
            sent = sendmsg(publisher->socket, &message, MSG_NOSIGNAL);
        while (sent < 0 && errno == EINTR);
        if (sent < 0)
            result = -EIO;
    }
    pthread_mutex_unlock(&publisher->lock);
    return result;
}

static int udp_publish(void *handle, const ipcmark_part *parts, size_t count)
{
    struct publisher *publisher = handle;
    struct frame frame;
    if (!callers_enter(&publisher->callers))
        return -ESHUTDOWN;
    int result = frame_begin(&frame, parts, count, publisher->endpoint.max_bytes);
    if (result == 0) {
        result = frame.size > FRAME_MAX ? -EMSGSIZE : send_frame(publisher, &frame);
        frame_end(&frame);
    }
    callers_leave(&publisher->callers);
    return result;
}

static int udp_publisher_peers(void *handle)
{
    return atomic_load(&((struct publisher *)handle)->count);
}

static void udp_publisher_close(void *handle)
{
    struct publisher *publisher = handle;
    callers_refuse(&publisher->callers);
    publisher_free(publisher);
}

/* ---- the subscriber ---- */

struct port {
    int socket;
    struct sockaddr_in address;
    char token[IDENTITY_TEXT];
};

static int port_find(void *place, char address[ROSTER_ADDRESS])
{
    struct port *port = place;
    const int size = RECEIVE_BUFFER;
    socklen_t address_size = sizeof port->address;
    port->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    port->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (port->socket < 0)
        return -errno;
    if (setsockopt(port->socket, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0) /* beyond rmem_max, as root */
        setsockopt(port->socket, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (bind(port->socket, (struct sockaddr *)&port->address, address_size) < 0 ||
        getsockname(port->socket, (struct sockaddr *)&port->address, &address_size) < 0)
        return -errno;
    identity_make(port->token);
    snprintf(address, ROSTER_ADDRESS, "%u %s", ntohs(port->address.sin_port), port->token);
    return 0;
}

/* A datagram from a stranger is nobody's message. */
static ssize_t port_receive(void *place, void *at, size_t room)
{
    const struct port *port = place;
    char token[TOKEN];
    struct iovec pieces[] = {{token, sizeof token}, {at, room}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
    const ssize_t got = recvmsg(port->socket, &message, 0);
    return got > TOKEN && memcmp(token, port->token, TOKEN) == 0 ? got - TOKEN : 0;
}

/* If there is no room for it, there is something to wake up for already. */
static void port_wake(void *place)
{
    const struct port *port = place;
    sendto(port->socket, "", 0, MSG_DONTWAIT, (const struct sockaddr *)&port->address, sizeof port->address);
}

static void port_free(void *place)
{
    struct port *port = place;
    if (port->socket >= 0)
        close(port->socket);
    free(port);
}

static int udp_subscriber_open(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *deliver, void *context)
{
    static const struct mailbox_kind kind = {.driver = "udp",
                                             .frame_max = FRAME_MAX,
                                             .find = port_find,
                                             .receive = port_receive,
                                             .wake = port_wake,
                                             .free = port_free};
    struct port *port = calloc(1, sizeof *port);
    if (port == NULL)
        return -ENOMEM;
    port->socket = -1;
    return mailbox_open(out, options, &kind, port, deliver, context);
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
        .subscriber_peers = mailbox_peers,
        .subscriber_close = mailbox_close,
    };
    return &driver;
}
