/* Force-included (-include) before the library's sources in the crash build: each call that others can notice — a
 * system call, or a store into shared memory — becomes a point where the process can be killed or stopped just before
 * it. The points are put into a section of the program, which is thereby the list of them all.
 *
 * Between two points of a thread nothing happens that another process could see. So a death just before each is a death
 * at every instruction. */
#ifndef POINTS_H
#define POINTS_H

/* First, so that the macros do not rewrite the declarations. gate.c has a revoke() of its own. */
#define revoke revoke_terminal
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#undef revoke

#include "atomics.h"
#include "point.h"

/* All stores into shared memory: atomics.h has these ways, and a store that takes no such way faults. */
#define shared_store_release(to, value) (POINT("store"), (shared_store_release)(point_writable(to), value))
#define shared_store_relaxed(to, value) (POINT("store"), (shared_store_relaxed)(point_writable(to), value))
#define shared_copy(to, from, bytes)    (POINT("copy"), point_copy(to, from, bytes, POINT_ENTRY("copy, half way")))

/* All system calls that others can notice; calls_without_points.txt says why the rest needs none. */
#define mmap(...)              (POINT("mmap"), point_mmap(__VA_ARGS__))
#define munmap(...)            (POINT("munmap"), point_munmap(__VA_ARGS__))
#define fcntl(...)             (POINT("fcntl"), point_fcntl(__VA_ARGS__))
#define accept4(...)           (POINT("accept4"), (accept4)(__VA_ARGS__))
#define bind(...)              (POINT("bind"), (bind)(__VA_ARGS__))
#define close(...)             (POINT("close"), (close)(__VA_ARGS__))
#define closedir(...)          (POINT("closedir"), (closedir)(__VA_ARGS__))
#define connect(...)           (POINT("connect"), (connect)(__VA_ARGS__))
#define epoll_create1(...)     (POINT("epoll_create1"), (epoll_create1)(__VA_ARGS__))
#define epoll_ctl(...)         (POINT("epoll_ctl"), (epoll_ctl)(__VA_ARGS__))
#define epoll_wait(...)        (POINT("epoll_wait"), (epoll_wait)(__VA_ARGS__))
#define eventfd(...)           (POINT("eventfd"), (eventfd)(__VA_ARGS__))
#define fallocate(...)         (POINT("fallocate"), (fallocate)(__VA_ARGS__))
#define fchmod(...)            (POINT("fchmod"), (fchmod)(__VA_ARGS__))
#define fchmodat(...)          (POINT("fchmodat"), (fchmodat)(__VA_ARGS__))
#define fdopendir(...)         (POINT("fdopendir"), (fdopendir)(__VA_ARGS__))
#define flock(...)             (POINT("flock"), (flock)(__VA_ARGS__))
#define fstat(...)             (POINT("fstat"), (fstat)(__VA_ARGS__))
#define fstatat(...)           (POINT("fstatat"), (fstatat)(__VA_ARGS__))
#define getsockopt(...)        (POINT("getsockopt"), (getsockopt)(__VA_ARGS__))
#define setsockopt(...)        (POINT("setsockopt"), (setsockopt)(__VA_ARGS__))
#define inotify_add_watch(...) (POINT("inotify_add_watch"), (inotify_add_watch)(__VA_ARGS__))
#define inotify_init1(...)     (POINT("inotify_init1"), (inotify_init1)(__VA_ARGS__))
#define linkat(...)            (POINT("linkat"), (linkat)(__VA_ARGS__))
#define listen(...)            (POINT("listen"), (listen)(__VA_ARGS__))
#define madvise(...)           (POINT("madvise"), (madvise)(__VA_ARGS__))
#define memfd_create(...)      (POINT("memfd_create"), (memfd_create)(__VA_ARGS__))
#define mkdir(...)             (POINT("mkdir"), (mkdir)(__VA_ARGS__))
#define open(...)              (POINT("open"), (open)(__VA_ARGS__))
#define openat(...)            (POINT("openat"), (openat)(__VA_ARGS__))
#define ppoll(...)             (POINT("ppoll"), (ppoll)(__VA_ARGS__))
#define pread(...)             (POINT("pread"), (pread)(__VA_ARGS__))
#define pwrite(...)            (POINT("pwrite"), (pwrite)(__VA_ARGS__))
#define read(...)              (POINT("read"), (read)(__VA_ARGS__))
#define readdir(...)           (POINT("readdir"), (readdir)(__VA_ARGS__))
#define readlink(...)          (POINT("readlink"), (readlink)(__VA_ARGS__))
#define recv(...)              (POINT("recv"), (recv)(__VA_ARGS__))
#define recvmsg(...)           (POINT("recvmsg"), (recvmsg)(__VA_ARGS__))
#define send(...)              (POINT("send"), (send)(__VA_ARGS__))
#define sendmsg(...)           (POINT("sendmsg"), (sendmsg)(__VA_ARGS__))
#define shutdown(...)          (POINT("shutdown"), (shutdown)(__VA_ARGS__))
#define socket(...)            (POINT("socket"), (socket)(__VA_ARGS__))
#define socketpair(...)        (POINT("socketpair"), (socketpair)(__VA_ARGS__))
#define syscall(...)           (POINT("syscall"), (syscall)(__VA_ARGS__))
#define unlinkat(...)          (POINT("unlinkat"), (unlinkat)(__VA_ARGS__))
#define write(...)             (POINT("write"), (write)(__VA_ARGS__))

#endif
