/* Lines of standard input, of any length. */
#include "tool.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_AT_ONCE = 65536 };

static int make_room(struct line_reader *reader)
{
    char *grown;
    size_t capacity = reader->capacity;
    if (reader->taken > 0) { /* the line so far moves to the front */
        memmove(reader->buffer, reader->buffer + reader->taken, reader->used - reader->taken);
        reader->used -= reader->taken;
        reader->taken = 0;
    }
    if (capacity - reader->used >= READ_AT_ONCE)
        return 0;
    capacity = capacity == 0 ? 2 * (size_t)READ_AT_ONCE : 2 * capacity;
    grown = realloc(reader->buffer, capacity);
    if (grown == NULL)
        return -ENOMEM;
    reader->buffer = grown;
    reader->capacity = capacity;
    return 0;
}

static int read_more(struct line_reader *reader)
{
    ssize_t got;
    int error = make_room(reader);
    if (error != 0)
        return error;
    do {
        if (await(STDIN_FILENO, POLLIN, -1) == AWAITED_STOP)
            return -EINTR;
        got = read(STDIN_FILENO, reader->buffer + reader->used, reader->capacity - reader->used);
    } while (got < 0 && (errno == EINTR || errno == EAGAIN));
    if (got < 0)
        return -errno;
    reader->ended = got == 0;
    reader->used += (size_t)got;
    return 0;
}

ssize_t line_read(struct line_reader *reader, char **line)
{
    size_t searched = 0;
    for (;;) {
        char *start = reader->buffer + reader->taken;
        const size_t length = reader->used - reader->taken;
        const char *end = length == searched ? NULL : memchr(start + searched, '\n', length - searched);
        int error;
        if (end != NULL || (reader->ended && length > 0)) { /* the last line may lack its end */
            const size_t size = end == NULL ? length : (size_t)(end - start);
            reader->taken += size + (end == NULL ? 0 : 1);
            *line = start;
            return (ssize_t)size;
        }
        if (reader->ended)
            return -ENODATA;
        searched = length;
        error = read_more(reader);
        if (error != 0)
            return error;
    }
}

void line_reader_free(struct line_reader *reader)
{
    free(reader->buffer);
}
