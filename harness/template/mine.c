/* A driver to copy: publish/subscribe over Unix datagrams, a socket file an endpoint. Replace what is about sockets by
 * calls of your implementation; the rules that each function keeps are in ipcmark/driver.h. */
#include <errno.h>
#include <glob.h>
#include <ipcmark/driver.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { LARGEST = 131072, PATH = sizeof((struct sockaddr_un){0}.sun_path) };

struct mine { /* a publisher or a subscriber; its options are gone when open returns, so what is needed is copied */
    int socket;
    _Atomic int closing;
    struct sockaddr_un address;
    char others[PATH];           /* a pattern: the files of the other kind; 0… are subscribers', 1… publishers' */
    ipcmark_deliver_fn *deliver; /* NULL: a publisher, whose thread has nothing to do */
    void *context;
    pthread_t thread;
};

static void *receive(void *handle)
{
    struct mine *self = handle;
    char buffer[LARGEST];
    for (ssize_t size; self->deliver != NULL && !self->closing && (size = recv(self->socket, buffer, LARGEST, 0)) > 0;)
        self->deliver(self->context, &(ipcmark_part){buffer, (size_t)size}, 1);
    return NULL;
}

static int subscriber_open(void **out, const ipcmark_endpoint *e, ipcmark_deliver_fn *deliver, void *context)
{
    unsigned long long hash = 14695981039346656037u; /* of the channel's name, in which any bytes may be */
    struct mine *self = malloc(sizeof *self);
    if (self == NULL)
        return -ENOMEM;
    for (const char *at = e->channel; *at != '\0'; ++at)
        hash = (hash ^ (unsigned char)*at) * 1099511628211u;
    *self = (struct mine){.socket = -1, .address.sun_family = AF_UNIX, .deliver = deliver, .context = context};
    snprintf(self->others, PATH, "%s/%d%llx-*", e->directory, deliver != NULL, hash);
    errno = ENAMETOOLONG; /* or what goes wrong then */
    if (snprintf(self->address.sun_path, PATH, "%s/%d%llx-%s", e->directory, deliver == NULL, hash, e->id) < PATH &&
        (self->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) >= 0 &&
        bind(self->socket, (struct sockaddr *)&self->address, sizeof self->address) == 0 &&
        (errno = pthread_create(&self->thread, NULL, receive, self)) == 0)
        return *out = self, 0;
    const int error = -errno;
    return unlink(self->address.sun_path), close(self->socket), free(self), error; /* and *out is as it was */
}

static int publisher_open(void **out, const ipcmark_endpoint *e)
{
    return subscriber_open(out, e, NULL, NULL);
}

static void close_endpoint(void *handle)
{
    struct mine *self = handle;
    self->closing = 1;
    shutdown(self->socket, SHUT_RD);  /* ends recv */
    pthread_join(self->thread, NULL); /* a running deliver is waited for; after close there is none */
    unlink(self->address.sun_path);
    close(self->socket);
    free(self);
}

static int publish(void *handle, const ipcmark_part *part, size_t count)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    glob_t found = {0};
    if (count != 1 || (part != NULL && part->size == 0))
        return -EINVAL; /* not claimed: multipart, empty_message */
    if (part != NULL && part->size > LARGEST)
        return -EMSGSIZE; /* these two are definite: nobody receives it */
    int result = glob(((struct mine *)handle)->others, GLOB_ERR, NULL, &found) == GLOB_ABORTED ? -EIO : 0;
    const int from = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    for (size_t i = 0; i < found.gl_pathc; ++i) {
        snprintf(to.sun_path, PATH, "%s", found.gl_pathv[i]);
        if (connect(from, (struct sockaddr *)&to, sizeof to) == 0 &&
            (part == NULL || send(from, part->data, part->size, MSG_NOSIGNAL) >= 0)) /* waits where a queue is full */
            result += result >= 0;
        else if (errno == ECONNREFUSED)
            unlink(to.sun_path); /* whoever it was has been killed */
        else if (errno != ENOENT)
            result = -EIO; /* this is not definite: another may have it */
    }
    globfree(&found);
    close(from);
    return result;
}

static int peers(void *handle)
{
    return publish(handle, NULL, 1); /* without a part it only counts those who live */
}

const ipcmark_driver *ipcmark_driver_get(void)
{
    static const ipcmark_driver driver = {
        .abi = IPCMARK_DRIVER_ABI,
        .size = sizeof driver,
        .name = "mine",
        .version = "1",
        .summary = "a driver to copy: Unix datagrams",
        .capabilities = IPCMARK_CAP_PEERS | IPCMARK_CAP_DIRECTORY_FILES | IPCMARK_CAP_ISOLATION_DIRECTORY,
        .max_message_bytes = LARGEST,
        .publisher_open = publisher_open,
        .publish = publish,
        .publisher_peers = peers,
        .publisher_close = close_endpoint,
        .subscriber_open = subscriber_open,
        .subscriber_peers = peers,
        .subscriber_close = close_endpoint,
    };
    return &driver;
}
