#include "descriptor.h"

#include "../os.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WORD_BITS = 64 };

/* Many threads may open and close at once, none while another forks; and a fork is not kept waiting by newcomers. */
static pthread_rwlock_t forking = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the rest; taken inside the other */
static uint64_t *kept;                                   /* a bit each */
static size_t words;

_Atomic unsigned os_fork_generation;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static int fork_error;
static _Atomic(void (*)(void)) tell_child;

void descriptor_hold(void)
{
    pthread_rwlock_rdlock(&forking);
}

void descriptor_release(void)
{
    pthread_rwlock_unlock(&forking);
}

static bool make_room(int fd)
{
    const size_t wanted = (size_t)fd / WORD_BITS + 1;
    uint64_t *grown;
    if (wanted <= words)
        return true;
    grown = realloc(kept, 2 * wanted * sizeof *grown);
    if (grown == NULL)
        return false;
    memset(grown + words, 0, (2 * wanted - words) * sizeof *grown);
    kept = grown;
    words = 2 * wanted;
    return true;
}

/* While forks are held off. */
static int keep(int fd)
{
    bool known;
    if (fd < 0)
        return -errno;
    pthread_mutex_lock(&lock);
    known = make_room(fd);
    if (known)
        kept[fd / WORD_BITS] |= UINT64_C(1) << fd % WORD_BITS;
    pthread_mutex_unlock(&lock);
    if (known)
        return fd;
    close(fd);
    return -ENOMEM;
}

int descriptor_keep(int fd)
{
    fd = keep(fd);
    descriptor_release();
    return fd;
}

void descriptor_keep_all(int *fds, int count)
{
    for (int i = 0; i < count; ++i)
        fds[i] = keep(fds[i]);
    descriptor_release();
}

void descriptor_forget(int fd)
{
    pthread_mutex_lock(&lock);
    if ((size_t)fd / WORD_BITS < words)
        kept[fd / WORD_BITS] &= ~(UINT64_C(1) << fd % WORD_BITS);
    pthread_mutex_unlock(&lock);
}

void os_close(int fd)
{
    if (fd < 0)
        return;
    descriptor_hold();
    descriptor_forget(fd);
    close(fd);
    descriptor_release();
}

void os_close_foreign(int fd)
{
    const struct linger at_once = {0, 0};
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once,
                   sizeof at_once); /* else a socket may keep close() for as long as it says */
    os_close(fd);
}

static void before_fork(void)
{
    pthread_rwlock_wrlock(&forking); /* and with it nobody has the other lock */
}

static void in_parent(void)
{
    pthread_rwlock_unlock(&forking);
}

static void in_child(void)
{
    atomic_fetch_add_explicit(&os_fork_generation, 1, memory_order_relaxed); /* relaxed: a child has one thread */
    for (size_t i = 0; i < words; ++i)
        for (int bit = 0; bit < WORD_BITS && kept[i] != 0; ++bit)
            if ((kept[i] >> bit & 1) != 0)
                close((int)(i * WORD_BITS) + bit);
    if (words > 0)
        memset(kept, 0, words * sizeof *kept);
    atomic_load_explicit(&tell_child, memory_order_relaxed)(); /* relaxed: likewise */
    /* made anew: to unlock it is for the thread that locked it, which has another number here */
    forking = (pthread_rwlock_t)PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
}

static void install(void)
{
    fork_error = -pthread_atfork(before_fork, in_parent, in_child);
}

int os_fork_watch(void (*tell)(void))
{
    atomic_store_explicit(&tell_child, tell, memory_order_relaxed); /* relaxed: all callers say the same */
    pthread_once(&fork_once, install);
    return fork_error;
}
