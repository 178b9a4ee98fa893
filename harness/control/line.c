#include "line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int append(struct line_reader *self, const char *bytes, size_t size)
{
    size_t needed = self->length + size + 1;
    if (needed > LINE_MAX_BYTES)
        return -EMSGSIZE;
    if (needed > self->capacity) {
        size_t capacity = needed < 4096 ? 4096 : 2 * needed;
        char *grown = realloc(self->buffer, capacity);
        if (grown == NULL)
            return -ENOMEM;
        self->buffer = grown;
        self->capacity = capacity;
    }
    memcpy(self->buffer + self->length, bytes, size);
    self->length += size;
    self->buffer[self->length] = '\0';
    return 0;
}

int line_feed(struct line_reader *self, const char *bytes, size_t size,
              int found(void *context, char *line, size_t length), void *context)
{
    while (size > 0) {
        const char *newline = memchr(bytes, '\n', size);
        size_t piece = newline == NULL ? size : (size_t)(newline - bytes);
        int error = append(self, bytes, piece);
        if (error < 0)
            return error;
        if (newline == NULL)
            return 0;
        size_t length = self->length;
        self->length = 0;
        error = found(context, self->buffer, length);
        if (error < 0)
            return error;
        bytes += piece + 1;
        size -= piece + 1;
    }
    return 0;
}

void line_free(struct line_reader *self)
{
    free(self->buffer);
    *self = (struct line_reader){0};
}
