/* A case that hangs tells where, before CTest kills it and nothing is known.
 *
 * hang_watch() sets an alarm some time before CTest's TIMEOUT (CASES_PATIENCE, in seconds; DiscoverCases.cmake sets it;
 * without it nothing is watched, as under a debugger). Then everything that can be seen is written to stderr, and the
 * process aborts.
 *
 * The handler may interrupt anything, the allocator and a sanitizer's runtime included: it uses system calls only, and
 * backtrace(), which was called once before. Where not even this is printed, the process hung with its signals blocked:
 * in fork, or in another handler. */
#ifndef HANG_H
#define HANG_H

#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HANG_PLAIN static __attribute__((no_sanitize("thread")))

/* ThreadSanitizer puts handlers off until it thinks it safe; it is not asked. */
#if defined(__SANITIZE_THREAD__)
extern int __sigaction(int, const struct sigaction *, struct sigaction *);
#define HANG_SIGACTION __sigaction
#else
#define HANG_SIGACTION sigaction
#endif

enum { HANG_DEPTH = 4 }; /* of processes below this one */

HANG_PLAIN void hang_say(const char *text)
{
    size_t length = 0;
    while (text[length] != '\0')
        ++length;
    if (syscall(SYS_write, STDERR_FILENO, text, length) < 0)
        return;
}

/* Its beginning, in one line. */
HANG_PLAIN long hang_read(const char *path, char *out, long size)
{
    const long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    long length = fd < 0 ? 0 : syscall(SYS_read, fd, out, size - 1);
    if (fd >= 0)
        syscall(SYS_close, fd);
    length = length < 0 ? 0 : length;
    while (length > 0 && (out[length - 1] == '\n' || out[length - 1] == '\0'))
        --length;
    for (long i = 0; i < length; ++i)
        if (out[i] == '\0')
            out[i] = ' ';
    out[length] = '\0';
    return length;
}

/* /proc/PID/task/TID/WHAT. */
HANG_PLAIN long hang_read_task(const char *pid, const char *tid, const char *what, char *out, long size)
{
    const char *const pieces[] = {"/proc/", pid, "/task/", tid, "/", what};
    char path[96];
    size_t used = 0;
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; ++i)
        for (const char *at = pieces[i]; *at != '\0' && used < sizeof path - 1; ++at)
            path[used++] = *at;
    path[used] = '\0';
    return hang_read(path, out, size);
}

static void hang_show_process(const char *pid, unsigned depth);

HANG_PLAIN void hang_show_thread(const char *pid, const char *tid, unsigned depth)
{
    static const char *const files[] = {"cmdline", "stat", "wchan", "syscall", "stack"};
    char text[2048];
    for (size_t i = 0; i < sizeof files / sizeof files[0]; ++i) {
        if (hang_read_task(pid, tid, files[i], text, sizeof text) == 0)
            continue;
        hang_say(i == 0 ? "\n  thread " : "\n    "), hang_say(i == 0 ? tid : files[i]), hang_say(": "), hang_say(text);
    }
    hang_read_task(pid, tid, "children", text, sizeof text);
    for (char *at = text; *at != '\0';) {
        char *end = at;
        while (*end != '\0' && *end != ' ')
            ++end;
        const char last = *end;
        *end = '\0';
        if (end != at && depth < HANG_DEPTH)
            hang_show_process(at, depth + 1);
        at = last == '\0' ? end : end + 1;
    }
}

HANG_PLAIN void hang_show_process(const char *pid, unsigned depth)
{
    struct entry { /* linux_dirent64 */
        unsigned long long inode, offset;
        unsigned short length;
        unsigned char type;
        char name[];
    };
    char buffer[1024] __attribute__((aligned(8))), path[32] = "/proc/";
    size_t used = 6;
    for (const char *at = pid; *at != '\0' && used < sizeof path - 6; ++at)
        path[used++] = *at;
    for (const char *at = "/task"; *at != '\0'; ++at)
        path[used++] = *at;
    path[used] = '\0';
    hang_say("\nprocess "), hang_say(pid);
    const long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long filled;
    while (fd >= 0 && (filled = syscall(SYS_getdents64, fd, buffer, sizeof buffer)) > 0)
        for (long at = 0; at < filled;) {
            const struct entry *entry = (const struct entry *)(const void *)(buffer + at);
            if (entry->name[0] != '.')
                hang_show_thread(pid, entry->name, depth);
            at += entry->length;
        }
    if (fd >= 0)
        syscall(SYS_close, fd);
}

/* One that is starved looks like one that hangs, but for these; schedstat: nanoseconds that it ran, and that it waited
 * to. */
HANG_PLAIN void hang_show_machine(void)
{
    static const char *const files[] = {"/proc/loadavg", "/proc/pressure/cpu", "/proc/self/schedstat"};
    char text[512];
    for (size_t i = 0; i < sizeof files / sizeof files[0]; ++i)
        if (hang_read(files[i], text, sizeof text) > 0)
            hang_say("\n"), hang_say(files[i]), hang_say(": "), hang_say(text);
}

HANG_PLAIN void hang_explain(int number)
{
    void *frames[64];
    (void)number;
    hang_say("\nThis case hangs. Its main thread, unless another one took the signal:\n");
    backtrace_symbols_fd(frames, backtrace(frames, 64), STDERR_FILENO);
    hang_show_process("self", 0);
    hang_show_machine();
    hang_say("\n");
    abort();
}

static inline void hang_watch(void)
{
    const char *patience = getenv("CASES_PATIENCE");
    const int seconds = patience == NULL ? 0 : atoi(patience);
    struct sigaction action;
    void *frame;
    if (seconds <= 0)
        return;
    backtrace(&frame, 1); /* loads what it needs */
    memset(&action, 0, sizeof action);
    sigfillset(&action.sa_mask);
    action.sa_handler = hang_explain;
    HANG_SIGACTION(SIGALRM, &action, NULL);
    alarm((unsigned)seconds);
}

#endif
