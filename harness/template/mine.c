/* A driver to copy: publish/subscribe over Unix datagrams, a socket file an endpoint. Replace what is about sockets by
 * calls of your implementation; the rules that each function keeps are in ipcmark/driver.h. */
#include <dirent.h>
#include <errno.h>
#include <ipcmark/driver.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { LARGEST = 131072, PREFIX = 18 };

struct mine {                              /* both kinds */
    char directory[80], other[PREFIX + 1]; /* how the names of the other kind's files begin */
    int socket;
    struct sockaddr_un address;
    pthread_t thread; /* from here on, subscribers only */
    atomic_bool closing;
    ipcmark_deliver_fn *deliver;
    void *context;
    char buffer[LARGEST];
};

/* kind: 'p' or 's'. The strings in options are gone when we return: what is needed later is copied. */
static int open_endpoint(struct mine **out, const ipcmark_endpoint *options, char kind)
{
    struct mine *self = calloc(1, sizeof *self);
    uint64_t hash = 14695981039346656037u; /* of the channel's name, in which any bytes may be */
    if (self == NULL)
        return -ENOMEM;
    for (const char *at = options->channel; *at != '\0'; ++at)
        hash = (hash ^ (unsigned char)*at) * 1099511628211u;
    snprintf(self->other, sizeof self->other, "%c%016llx-", 'p' + 's' - kind, (unsigned long long)hash);
    snprintf(self->directory, sizeof self->directory, "%s", options->directory);
    self->address.sun_family = AF_UNIX;
    int length = snprintf(self->address.sun_path, sizeof self->address.sun_path, "%s/%c%s%s", options->directory, kind,
                          self->other + 1, options->id);
    self->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (strlen(options->directory) < sizeof self->directory && (size_t)length < sizeof self->address.sun_path &&
        bind(self->socket, (struct sockaddr *)&self->address, sizeof self->address) == 0)
        return *out = self, 0;
    int error = strlen(options->directory) < sizeof self->directory && errno != 0 ? -errno : -ENAMETOOLONG;
    close(self->socket);
    free(self);
    return error; /* and *out is as it was */
}

static void close_endpoint(void *handle)
{
    struct mine *self = handle;
    unlink(self->address.sun_path);
    close(self->socket);
    free(self);
}

/* Counts the living endpoints of the other kind, and sends them the message if there is one; waits where a queue is
 * full. */
static int reach_others(void *handle, struct msghdr *message)
{
    struct mine *self = handle;
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int count = 0, error = 0;
    DIR *directory = opendir(self->directory);
    if (directory == NULL)
        return -EIO; /* not one of driver.h's definite errors: unknown whether anyone received it */
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (strncmp(entry->d_name, self->other, PREFIX) != 0)
            continue;
        snprintf(to.sun_path, sizeof to.sun_path, "%s/%.24s", self->directory, entry->d_name);
        int probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (message != NULL)
            message->msg_name = &to, message->msg_namelen = sizeof to;
        if ((message != NULL ? (int)sendmsg(self->socket, message, MSG_NOSIGNAL)
                             : connect(probe, (struct sockaddr *)&to, sizeof to)) >= 0)
            ++count;
        else if (errno == ECONNREFUSED)
            unlink(to.sun_path); /* whoever it was has been killed */
        else if (errno != ENOENT)
            error = -EIO;
        close(probe);
    }
    closedir(directory);
    return error < 0 ? error : count;
}

static int publish(void *handle, const ipcmark_part *parts, size_t count)
{
    if (count != 1 || parts[0].size > LARGEST)
        return -EMSGSIZE; /* definite: nobody receives it */
    struct iovec part = {(void *)(uintptr_t)parts[0].data, parts[0].size};
    return reach_others(handle, &(struct msghdr){.msg_iov = &part, .msg_iovlen = 1});
}

static int peers(void *handle)
{
    return reach_others(handle, NULL);
}

static void *receive(void *context)
{
    struct mine *self = context;
    ssize_t size;
    while (!atomic_load(&self->closing) && (size = recv(self->socket, self->buffer, LARGEST, 0)) > 0)
        self->deliver(self->context, &(ipcmark_part){self->buffer, (size_t)size}, 1);
    return NULL;
}

static int publisher_open(void **out, const ipcmark_endpoint *options)
{
    struct mine *self;
    int error = open_endpoint(&self, options, 'p');
    return error < 0 ? error : (*out = self, 0);
}

static int subscriber_open(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *deliver, void *context)
{
    struct mine *self;
    int error = open_endpoint(&self, options, 's');
    if (error < 0)
        return error;
    self->deliver = deliver;
    self->context = context;
    if ((error = -pthread_create(&self->thread, NULL, receive, self)) < 0)
        return close_endpoint(self), error;
    return *out = self, 0;
}

static void subscriber_close(void *handle)
{
    struct mine *self = handle;
    atomic_store(&self->closing, true);
    shutdown(self->socket, SHUT_RD);
    pthread_join(self->thread, NULL); /* a running deliver is waited for; after close there is none */
    close_endpoint(self);
}

const ipcmark_driver *ipcmark_driver_get(void)
{
    static const ipcmark_driver driver = {.abi = IPCMARK_DRIVER_ABI,
                                          .size = sizeof driver,
                                          .name = "mine",
                                          .version = "1",
                                          .summary = "a driver to copy: Unix datagrams",
                                          .max_message_bytes = LARGEST,
                                          .capabilities = IPCMARK_CAP_PEERS | IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH |
                                                          IPCMARK_CAP_DIRECTORY_FILES |
                                                          IPCMARK_CAP_ISOLATION_DIRECTORY | IPCMARK_CAP_WHEN_FULL_BLOCK,
                                          .publisher_open = publisher_open,
                                          .publish = publish,
                                          .publisher_peers = peers,
                                          .publisher_close = close_endpoint,
                                          .subscriber_open = subscriber_open,
                                          .subscriber_peers = peers,
                                          .subscriber_close = subscriber_close};
    return &driver;
}
