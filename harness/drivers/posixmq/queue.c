#include "queue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "directory.h"

enum {
    LENGTH_DEFAULT = 10,    /* fs.mqueue.msg_max, unless it was changed */
    LENGTH_MOST = 65536,    /* the kernel's own limit */
    MESSAGE_DEFAULT = 8192, /* fs.mqueue.msgsize_max, likewise */
    BACKLOG = 8 << 20,      /* bytes in a queue, where its length is not limited: the kernel's memory is not swapped */
    SHARES = 8,             /* of what a user's queues may take, for one of them */
    MESSAGE_OVERHEAD = 96,  /* what the kernel counts for a message beside its bytes, or a little more */
    QUEUES_DEFAULT = 256,   /* fs.mqueue.queues_max, likewise */
};

static const char prefix[] = "/ipcmark-";

static size_t setting(const char *name, size_t otherwise)
{
    char path[64];
    size_t value;
    snprintf(path, sizeof path, "/proc/sys/fs/mqueue/%s", name);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return otherwise;
    if (fscanf(file, "%zu", &value) != 1 || value == 0)
        value = otherwise;
    fclose(file);
    return value;
}

size_t queue_message_max(void)
{
    const size_t most = setting("msgsize_max", MESSAGE_DEFAULT);
    return most < QUEUE_MESSAGE_MAX ? most : QUEUE_MESSAGE_MAX;
}

/* Bytes that all queues of a user together may take; who may raise that does. */
static rlim_t raise_limit(void)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    if (setrlimit(RLIMIT_MSGQUEUE, &limit) == 0 || getrlimit(RLIMIT_MSGQUEUE, &limit) < 0)
        return RLIM_INFINITY;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_MSGQUEUE, &limit);
    return limit.rlim_max;
}

/* In messages, at least one. Other queues want room, too. */
static size_t length_wanted(rlim_t limit, size_t message_size)
{
    const size_t share = limit == RLIM_INFINITY || limit / SHARES > BACKLOG ? BACKLOG : limit / SHARES;
    const size_t length = share / (message_size + MESSAGE_OVERHEAD);
    return length < 1 ? 1 : length < LENGTH_MOST ? length : LENGTH_MOST;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t queue_count_max(void)
{
    const size_t message_size = queue_message_max(), most = setting("queues_max", QUEUES_DEFAULT);
    rlim_t left = raise_limit();
    size_t length = smaller(length_wanted(left, message_size), setting("msg_max", LENGTH_DEFAULT)), count = 0;
    if (left == RLIM_INFINITY)
        return most;
    for (; length > 0; length /= 2) { /* as queue_make does */
        count += left / (length * (message_size + MESSAGE_OVERHEAD));
        left %= length * (message_size + MESSAGE_OVERHEAD);
    }
    return smaller(count, most);
}

void queue_name(char name[QUEUE_NAME])
{
    char identity[IDENTITY_TEXT];
    identity_make(identity);
    snprintf(name, QUEUE_NAME, "%s%s", prefix, identity);
}

static mqd_t make(const char *name, size_t message_size, size_t length)
{
    struct mq_attr attributes = {.mq_maxmsg = (long)length, .mq_msgsize = (long)message_size};
    const mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &attributes);
    return queue < 0 ? -errno : queue;
}

/* A privileged process may exceed the system's limit on the length. Where the queues of this user take up nearly all
 * that they may, a short one still serves, with more waiting. */
mqd_t queue_make(const char *name, size_t message_size)
{
    const size_t wanted = length_wanted(raise_limit(), message_size), usual = setting("msg_max", LENGTH_DEFAULT);
    size_t length = smaller(wanted, usual);
    mqd_t queue = wanted > usual ? make(name, message_size, wanted) : -EINVAL;
    if (queue < 0)
        queue = make(name, message_size, length);
    while ((queue == -EMFILE || queue == -ENOMEM) && length > 1)
        queue = make(name, message_size, length /= 2);
    return queue;
}

/* The text may be another process's. */
static bool is_ours(const char *name)
{
    const size_t length = strlen(prefix);
    return strncmp(name, prefix, length) == 0 && strlen(name) == length + IDENTITY_TEXT - 1 &&
           strspn(name + length, "0123456789abcdef") == IDENTITY_TEXT - 1;
}

mqd_t queue_open(const char *name)
{
    if (!is_ours(name))
        return -EINVAL;
    const mqd_t queue = mq_open(name, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    return queue < 0 ? -errno : queue;
}

void queue_remove(const char *name)
{
    if (is_ours(name))
        mq_unlink(name);
}
