/* What this library asks of an operating system, and differs between them. One folder a system implements it.
 *
 * Results: 0 or more is success, -errno is failure. Every descriptor is close-on-exec. */
#ifndef MMIPC_OS_H
#define MMIPC_OS_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* memory.c — files of shared memory */
int os_memory_create(size_t bytes);        /* a descriptor; all pages are reserved: -ENOMEM now, no SIGBUS later */
int os_memory_seal(int fd);                /* no resizing and no new writable mapping, for ever */
int os_memory_check(int fd, size_t bytes); /* of another process: sealed so, and of this size? else -EPROTO */
int os_memory_map(int fd, size_t header_bytes, size_t ring_bytes, bool writable, void **out); /* the ring twice */
void os_memory_unmap(void *base, size_t header_bytes, size_t ring_bytes);

/* wake.c — waking a thread of another process, and ordering its memory accesses */
int os_event_create(void); /* for threads of this process: readable when signalled */
void os_event_signal(int fd);
void os_event_clear(int fd);
int os_wake_create(int *sender); /* a descriptor to wait on; *sender is for the process that is to wake us */
int os_wake_check(int sender);   /* of another process: is it such a sender? else -EPROTO */
void os_wake_send(int sender);   /* never blocks, whatever the other process does with its end */
int os_wake_clear(int fd);       /* nor does this. -EPIPE: it has hung up, or floods us: close it */
bool os_barrier_register(void);  /* may others order this process's accesses? Call before threads exist */
bool os_barrier_heavy(void);     /* a full fence in every running thread of every registered process, but for … */
/* … those that the system takes for unregistered (ORDERING.md). What they have stored is visible by then all the same:
 * store buffers empty themselves, in nanoseconds to microseconds. */
enum { OS_SETTLED_NS = 10000000 };
bool os_barrier_own_register(void); /* the same among the threads of this process */
void os_barrier_own(void);
int os_timer_create(void);                                   /* readable once started and over */
void os_timer_start(int fd, int64_t ns);                     /* anew, if it runs */
int os_poll(const int *fds, int count, int64_t deadline_ns); /* 1 readable, 0 deadline (-1: none) */
int os_poller_create(void);
int os_poller_add(int poller, int fd, void *data, bool edge);
void os_poller_remove(int poller, int fd);
int os_poller_wait(int poller, void **data, int capacity, int64_t deadline_ns); /* how many are readable or hung up */

/* process.c — clock, processors, users, chance */
int64_t os_now_ns(void); /* monotonic */
void os_random(void *to, size_t bytes);
int os_processors(void);      /* of the machine, online; whatever the caller is bound to: its peer may have another */
uid_t os_overflow_user(void); /* stands for everybody whom the kernel cannot name here */
int os_load_open(void);       /* for os_load_running */
int os_load_running(int fd);  /* threads of this machine that run or want to, this one included */

/* descriptor.c — what a child of fork() must not keep */
void os_close(int fd);         /* every descriptor from here is closed by this; negative: nothing happens */
void os_close_foreign(int fd); /* one that another process sent, whatever it is: never waits */
extern _Atomic unsigned os_fork_generation; /* changes in a child of fork() */
int os_fork_watch(void (*tell)(void));      /* from now on a child closes its copies, then calls tell() */

/* directory.c — files that advertise an endpoint */
int os_directory_open(const char *path); /* made, 0700, if missing */
int os_directory_reopen(const char *path);
char *os_directory_path(int directory);     /* to be freed; NULL: unknown */
int os_list_open(int directory, DIR **out); /* of its entries, for readdir() */
void os_list_close(DIR *list);
int os_file_create_locked(int directory, const char *name, const void *text, size_t size, bool for_all); /* complete */
int os_file_rewrite(int directory, const char *name, const void *text, size_t size); /* in place; watchers notice */
int os_file_probe(int directory, const char *name, int *fd); /* opens a plain file; 1: owner lives, 0: stale */
int os_watch_open(int directory);
bool os_watch_drain(int fd, bool (*matters)(const char *name)); /* did a file that matters change since? */

/* socket.c — local sockets that keep message boundaries and carry descriptors */
enum { OS_FDS_MAX = 4 };
struct os_peer {
    pid_t pid; /* 0: not visible from here */
    uid_t uid;
    int pidfd; /* readable when the process has ended; -1: none */
};
int os_socket_listen(int directory, const char *name, bool for_all); /* for_all: other users may connect */
int os_socket_accept(int listener);
int os_socket_connect(int directory, const char *name);
int os_socket_peer(int fd, struct os_peer *out);
void os_socket_finish(int fd); /* nothing more will be sent; the other side reads to the end */
int os_socket_send(int fd, const void *data, size_t size, const int *fds, int fd_count);
ssize_t os_socket_receive(int fd, void *data, size_t capacity, int *fds,
                          int *fd_count); /* 0: hung up; -EAGAIN, -EMFILE */

#endif
