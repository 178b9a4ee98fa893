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
    int error = -ENAMETOOLONG;
    if (self == NULL)
        return -ENOMEM;
    for (const char *at = options->channel; *at != '\0'; ++at)
        hash = (hash ^ (unsigned char)*at) * 1099511628211u;
    snprintf(self->other, sizeof self->other, "%c%016llx-", 'p' + 's' - kind, (unsigned long long)hash);
    snprintf(self->directory, sizeof self->directory, "%s", options->directory);
    self->address.sun_family = AF_UNIX;
    int length = snprintf(self->address.sun_path, sizeof self->address.sun_path, "%s/%c%s%s", options->directory, kind,
                          self->other + 1, options->id);
    if (strlen(options->directory) >= sizeof self->directory || (size_t)length >= sizeof self->address.sun_path)
        goto out;
    if ((self->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0) {
        error = -errno;
        goto out;
    }
    if (bind(self->socket, (struct sockaddr *)&self->address, sizeof self->address) == 0)
        return *out = self, 0;
    error = -errno;
    close(self->socket);
out:
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

/* Goes round the living endpoints of the other kind and calls `reach` for each. Returns how many were reached, or
 * -errno.
 */
static int reach_others(struct mine *self, int (*reach)(int socket, const struct sockaddr_un *, void *), int socket,
                        void *context)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int count = 0, error = 0;
    DIR *directory = opendir(self->directory);
    if (directory == NULL)
        return -errno;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (strncmp(entry->d_name, self->other, PREFIX) != 0)
            continue;
        snprintf(to.sun_path, sizeof to.sun_path, "%s/%.24s", self->directory, entry->d_name);
        if (reach(socket, &to, context) >= 0)
            ++count;
        else if (errno == ECONNREFUSED)
            unlink(to.sun_path); /* whoever it was has been killed */
        else if (errno != ENOENT)
            error = -errno;
    }
    closedir(directory);
    return error < 0 ? error : count;
}

static int send_to(int socket, const struct sockaddr_un *to, void *context)
{
    const ipcmark_part *part = context;
    return (int)sendto(socket, part->data, part->size, MSG_NOSIGNAL, (const struct sockaddr *)to, sizeof *to);
}

/* Waits where a queue is full. */
static int publish(void *handle, const ipcmark_part *parts, size_t count)
{
    struct mine *self = handle;
    ipcmark_part part;
    if (count != 1 || parts[0].size == 0) /* not claimed: multipart, empty_message */
        return -EINVAL;
    if (parts[0].size > LARGEST)
        return -EMSGSIZE; /* these two are definite: nobody receives it */
    part = parts[0];
    /* What one receiver could not be sent another may have: none of driver.h's definite errors. */
    return reach_others(self, send_to, self->socket, &part) < 0 ? -EIO : 0;
}

static int connect_to(int socket, const struct sockaddr_un *to, void *context)
{
    (void)context;
    return connect(socket, (const struct sockaddr *)to, sizeof *to);
}

static int peers(void *handle)
{
    int probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (probe < 0)
        return -errno;
    int count = reach_others(handle, connect_to, probe, NULL);
    close(probe);
    return count;
}

static void *receive(void *context)
{
    struct mine *self = context;
    while (!atomic_load(&self->closing)) {
        ssize_t size = recv(self->socket, self->buffer, LARGEST, 0);
        if (size > 0) /* 0: shut down by close, or a stranger's empty datagram, which is nobody's message */
            self->deliver(self->context, &(ipcmark_part){self->buffer, (size_t)size}, 1);
        else if (size < 0 && errno != EINTR)
            break;
    }
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
