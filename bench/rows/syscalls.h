/* System calls of a process, as the kernel counts them (perf's raw_syscalls:sys_enter).
 *
 * While anybody counts, each system call of the whole machine takes a longer way, so nothing that is timed may happen
 * between open and close. */
#ifndef BENCH_SYSCALLS_H
#define BENCH_SYSCALLS_H

#include <stddef.h>
#include <sys/types.h>

struct syscalls {
    int *counters; /* of the threads that there were; those that they started since count with them */
    size_t count;
};

/* All of its threads from here on. 0; or -errno: -EACCES, -EPERM: it takes a right (CAP_PERFMON, and a tracefs that may
 * be read); -ENOENT: this kernel has no such event. */
int syscalls_open(struct syscalls *out, pid_t process);
double syscalls_read(const struct syscalls *); /* so far; NAN: unknown */
void syscalls_close(struct syscalls *);

#endif
