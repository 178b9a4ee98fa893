#include "../os.h"
#include "descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

int64_t os_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void os_random(void *to, size_t bytes)
{
    unsigned char *at = to;
    while (bytes >
           0) { /* cannot fail for these sizes once the kernel's generator is seeded; a signal may cut it short */
        ssize_t got = getrandom(at, bytes, 0);
        if (got > 0) {
            at += got;
            bytes -= (size_t)got;
        }
    }
}

int os_processors(void)
{
    const long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : (int)count;
}

uid_t os_overflow_user(void)
{
    char text[16];
    uid_t user = 65534; /* unless the machine says otherwise */
    ssize_t got;
    int fd;
    descriptor_hold();
    fd = descriptor_keep(open("/proc/sys/kernel/overflowuid", O_RDONLY | O_CLOEXEC));
    got = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
    if (got > 0) {
        text[got] = '\0';
        user = (uid_t)strtoul(text, NULL, 10);
    }
    os_close(fd);
    return user;
}

int os_load_open(void)
{
    descriptor_hold();
    return descriptor_keep(open("/proc/loadavg", O_RDONLY | O_CLOEXEC));
}

int os_load_running(int fd)
{
    char text[128];
    char *at = text;
    ssize_t got = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
    if (got <= 0)
        return 0; /* unknown */
    text[got] = '\0';
    for (int i = 0; i < 3 && at != NULL; ++i) { /* "0.20 0.18 0.12 1/80 11206": the fourth field */
        at = strchr(at, ' ');
        at = at == NULL ? NULL : at + 1;
    }
    return at == NULL ? 0 : (int)strtol(at, NULL, 10);
}
