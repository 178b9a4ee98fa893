/* The tests' own driver: Unix datagrams, a socket file a subscriber. Small, and right as far as it goes; parameters
 * make it wrong on purpose: crash_at=N (message), hang_at=N, hang_open=1, hang_close=1, leave_file=1, leave_names=1 (to
 * 31), leave_process=1 (to 5), refuse=1 (publish: EAGAIN). */
#include "ipcmark/driver.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct end {
    char directory[80], prefix[16];
    struct sockaddr_un address;
    int socket;
    pthread_t thread;
    ipcmark_deliver_fn *deliver;
    void *context;
    unsigned long messages, crash_at, hang_at;
    int refuse, hang_close;
    int closed; /* by its own handler: receive() cleans up */
};

static unsigned long param(const ipcmark_endpoint *options, const char *name)
{
    size_t length = strlen(name);
    for (const char *const *each = options->params; *each != NULL; ++each)
        if (strncmp(*each, name, length) == 0 && (*each)[length] == '=')
            return strtoul(*each + length + 1, NULL, 10);
    return 0;
}

static unsigned hash(const char *text)
{
    unsigned value = 2166136261u;
    while (*text != '\0')
        value = (value ^ (unsigned char)*text++) * 16777619u;
    return value;
}

static struct end *make(const ipcmark_endpoint *options)
{
    struct end *self = calloc(1, sizeof *self);
    if (self == NULL || strlen(options->directory) >= sizeof self->directory) {
        free(self);
        return NULL;
    }
    strcpy(self->directory, options->directory);
    snprintf(self->prefix, sizeof self->prefix, "%08x-", hash(options->channel));
    self->crash_at = param(options, "crash_at");
    self->hang_at = param(options, "hang_at");
    self->refuse = param(options, "refuse") != 0;
    self->hang_close = param(options, "hang_close") != 0;
    while (param(options, "hang_open") != 0)
        pause();
    self->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return self;
}

static int publisher_open(void **out, const ipcmark_endpoint *options)
{
    struct end *self = make(options);
    if (self == NULL)
        return -ENOMEM;
    *out = self;
    return 0;
}

static struct sockaddr_un address_of(const struct end *self, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.79s/%.24s", self->directory, name);
    return address;
}

/* Sends to each subscriber's socket, or counts those that are alive. */
static int for_each(struct end *self, const struct msghdr *message)
{
    DIR *directory = opendir(self->directory);
    int count = 0, error = 0;
    if (directory == NULL)
        return -errno;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (strncmp(entry->d_name, self->prefix, 9) != 0)
            continue;
        struct sockaddr_un address = address_of(self, entry->d_name);
        struct msghdr copy = message == NULL ? (struct msghdr){0} : *message;
        copy.msg_name = &address;
        copy.msg_namelen = sizeof address;
        if (message != NULL) {
            if (sendmsg(self->socket, &copy, MSG_NOSIGNAL) < 0 && errno != ECONNREFUSED && errno != ENOENT)
                error = -errno;
        } else {
            int probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
            count += connect(probe, (struct sockaddr *)&address, sizeof address) == 0;
            close(probe);
        }
    }
    closedir(directory);
    return error < 0 ? error : count;
}

static int publish(void *handle, const ipcmark_part *parts, size_t count)
{
    struct end *self = handle;
    struct iovec vector = {.iov_base = (void *)(uintptr_t)parts[0].data, .iov_len = parts[0].size};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (count != 1)
        return -EINVAL;
    if (self->refuse)
        return -EAGAIN;
    if (++self->messages == self->crash_at)
        abort();
    while (self->messages == self->hang_at)
        pause();
    return for_each(self, &message);
}

static int publisher_peers(void *handle)
{
    return for_each(handle, NULL);
}

/* Publishers have no address. */
static int subscriber_peers(void *handle)
{
    (void)handle;
    return -ENOTSUP;
}

static void publisher_close(void *handle)
{
    struct end *self = handle;
    while (self->hang_close)
        pause();
    close(self->socket);
    free(self);
}

static _Thread_local struct end *receiving;

static void *receive(void *context)
{
    struct end *self = receiving = context;
    static _Thread_local char buffer[262144];
    ssize_t size;
    /* An empty datagram is the end: no framed message is. */
    while ((size = recv(self->socket, buffer, sizeof buffer, 0)) > 0) {
        ipcmark_part part = {buffer, (size_t)size};
        self->deliver(self->context, &part, 1);
        if (self->closed) {
            publisher_close(self);
            break;
        }
    }
    return NULL;
}

/* Each of them is held until the process ends, but for what the kernel keeps a name in. */
static void leave_names(unsigned long kinds)
{
    char name[64];
    int id;
    snprintf(name, sizeof name, "/ipcmark-left-%d", (int)getpid());
    if (kinds & 1) {
        const int file = shm_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (file < 0 || ftruncate(file, 4096) < 0 || mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0) == MAP_FAILED ||
            close(file) < 0)
            abort();
    }
    if (kinds & 32) {
        char path[80];
        snprintf(path, sizeof path, "/dev/shm%s.fifo", name);
        if (mkfifo(path, 0600) < 0 || open(path, O_RDWR | O_CLOEXEC) < 0)
            abort();
    }
    if (kinds & 2 && sem_open(name, O_CREAT | O_EXCL, 0600, 0) == SEM_FAILED)
        abort();
    if (kinds & 4 && shmget(IPC_PRIVATE, 4096, 0600) < 0)
        abort();
    if (kinds & 8 && ((id = semget(IPC_PRIVATE, 2, 0600)) < 0 || semctl(id, 1, SETVAL, 1) < 0))
        abort();
    if (kinds & 16 && ((id = msgget(IPC_PRIVATE, 0600)) < 0 || msgsnd(id, &(struct msgbuf){.mtype = 1}, 1, 0) < 0))
        abort();
}

static void leave_something(const struct end *self, const ipcmark_endpoint *options)
{
    char path[128];
    /* 1: a child; 2: its child, in a session of its own; 3: likewise, of an empty environment; 4: as 2, and it holds
     * what we never held, and leaves its name; 5: as 2, without its first thread. */
    static const char *const commands[] = {"exec sleep 1000", "setsid -f sleep 1000", "env -i setsid -f sleep 1000",
                                           "exec 3>/dev/shm/ipcmark-left-helper-$$ && exec setsid -f sleep 1000",
                                           "exec setsid -f " TEST_HEADLESS};
    const unsigned long way = param(options, "leave_process");
    char *arguments[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
                         (char *)(uintptr_t)commands[way == 0 ? 0 : (way - 1) % 5], NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    leave_names(param(options, "leave_names"));
    snprintf(path, sizeof path, "%s/left", self->directory);
    if (param(options, "leave_file") != 0)
        fclose(fopen(path, "w"));
    if (way == 0)
        return;
    if (posix_spawn_file_actions_init(&actions) != 0 ||
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) != 0 ||
        posix_spawnp(&pid, "sh", &actions, NULL, arguments, environ) != 0 || (way > 1 && waitpid(pid, NULL, 0) != pid))
        abort();
    posix_spawn_file_actions_destroy(&actions);
}

static int subscriber_open(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *deliver, void *context)
{
    struct end *self = make(options);
    char name[32];
    if (self == NULL)
        return -ENOMEM;
    snprintf(name, sizeof name, "%s%.12s", self->prefix, options->id);
    self->address = address_of(self, name);
    self->deliver = deliver;
    self->context = context;
    if (bind(self->socket, (struct sockaddr *)&self->address, sizeof self->address) < 0) {
        int error = -errno;
        publisher_close(self);
        return error;
    }
    int error = pthread_create(&self->thread, NULL, receive, self);
    if (error == 0)
        *out = self;
    leave_something(self, options); /* last: ThreadSanitizer allows no new thread after it */
    return -error;
}

static void subscriber_close(void *handle)
{
    struct end *self = handle;
    if (receiving == self) {
        unlink(self->address.sun_path);
        self->closed = 1;
        pthread_detach(pthread_self());
        return;
    }
    int sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sendto(sender, "", 0, 0, (struct sockaddr *)&self->address, sizeof self->address);
    close(sender);
    unlink(self->address.sun_path);
    pthread_join(self->thread, NULL);
    publisher_close(self);
}

const ipcmark_driver *ipcmark_driver_get(void)
{
    static const ipcmark_driver driver = {
        .abi = IPCMARK_DRIVER_ABI,
        .size = sizeof driver,
        .name = "dgram",
        .version = "1",
        .summary = "the tests' own: Unix datagrams",
        .capabilities = IPCMARK_CAP_PEERS | IPCMARK_CAP_DIRECTORY_FILES | IPCMARK_CAP_ISOLATION_DIRECTORY |
                        IPCMARK_CAP_WHEN_FULL_BLOCK | IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH |
                        IPCMARK_CAP_PUBLISH_IN_HANDLER | IPCMARK_CAP_CLOSE_IN_HANDLER,
        .max_message_bytes = 131072,
        .publisher_open = publisher_open,
        .publish = publish,
        .publisher_peers = publisher_peers,
        .publisher_close = publisher_close,
        .subscriber_open = subscriber_open,
        .subscriber_peers = subscriber_peers,
        .subscriber_close = subscriber_close,
    };
    return &driver;
}
