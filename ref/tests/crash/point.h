/* A point of the library where its process can be killed or stopped; see points.h. And what the macros there stand for.
 */
#ifndef POINT_H
#define POINT_H

#include <stddef.h>
#include <sys/types.h>

struct point {
    const char *unit, *function, *call; /* unit: the source file that was compiled */
    int line, order;
};

void point_reach(const struct point *const *entry);
void *point_writable(const volatile void *at); /* shared memory is mapped read-only here, but for these */
void point_copy(void *to, const void *from, size_t bytes, const struct point *const *half_way);
void *point_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
int point_munmap(void *at, size_t bytes);
int point_fcntl(int fd, int command, ...);

#define POINT_ENTRY(name)                                                                                              \
    __extension__({                                                                                                    \
        static const struct point here = {__BASE_FILE__, __func__, name, __LINE__, __COUNTER__};                       \
        static const struct point *entry __attribute__((section("points"), used)) = &here;                             \
        (const struct point *const *)&entry;                                                                           \
    })
#define POINT(name) point_reach(POINT_ENTRY(name))

#endif
