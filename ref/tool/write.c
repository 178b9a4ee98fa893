/* Standard output, in a way that a signal can end although nobody reads. */
#include "tool.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static bool is_writable(void)
{
    struct pollfd polled = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&polled, 1, 0) > 0;
}

/* A pipe that is said to be writable takes PIPE_BUF bytes without blocking, and not surely more. */
static int write_all(const char *data, size_t size)
{
    while (size > 0) {
        ssize_t wrote;
        if (await(STDOUT_FILENO, POLLOUT, -1) == AWAITED_STOP && !is_writable()) /* what can be said is said first */
            return -EINTR;
        wrote = write(STDOUT_FILENO, data, size < PIPE_BUF ? size : PIPE_BUF);
        if (wrote < 0 && errno != EINTR && errno != EAGAIN)
            return -errno;
        if (wrote > 0) {
            data += wrote;
            size -= (size_t)wrote;
        }
    }
    return 0;
}

int write_flush(struct writer *writer)
{
    const size_t used = writer->used;
    writer->used = 0;
    return write_all(writer->buffer, used);
}

int write_out(struct writer *writer, const void *data, size_t size)
{
    int error = 0;
    if (size > sizeof writer->buffer - writer->used)
        error = write_flush(writer);
    if (error != 0 || size == 0)
        return error;
    if (size > sizeof writer->buffer)
        return write_all(data, size);
    memcpy(writer->buffer + writer->used, data, size);
    writer->used += size;
    return 0;
}
