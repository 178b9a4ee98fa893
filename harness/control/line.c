#include "line.h"

#include <errno.h>
#include <stdint.h>
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

/* How many bytes the UTF-8 character at `at` has; 0: it is none, or not in its shortest form. */
static size_t character(const unsigned char *at, size_t left)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const size_t length = at[0] < 0x80 ? 1 : at[0] >> 5 == 6 ? 2 : at[0] >> 4 == 14 ? 3 : at[0] >> 3 == 30 ? 4 : 0;
    uint32_t code = length == 1 ? at[0] : at[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; ++i) {
        if (i >= left || at[i] >> 6 != 2)
            return 0;
        code = code << 6 | (at[i] & 0x3Fu);
    }
    bool right = length > 0 && code >= least[length] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
    return right ? length : 0;
}

bool line_is_text(const char *line, size_t length)
{
    for (size_t at = 0, step; at < length; at += step) {
        step = character((const unsigned char *)line + at, length - at);
        if (step == 0 || line[at] == '\0')
            return false;
    }
    return true;
}

/* The start of a character that more bytes would have completed. */
static bool is_cut(const unsigned char *at, size_t left)
{
    const size_t length = at[0] >> 5 == 6 ? 2 : at[0] >> 4 == 14 ? 3 : at[0] >> 3 == 30 ? 4 : 0;
    for (size_t i = 1; i < left; ++i)
        if (at[i] >> 6 != 2)
            return false;
    return left < length;
}

void line_make_printable(char *text)
{
    unsigned char *at = (unsigned char *)text;
    for (size_t left = strlen(text); left > 0;) {
        size_t step = character(at, left);
        if (step == 0 && is_cut(at, left)) {
            *at = '\0';
            return;
        }
        if (step == 0 || at[0] == 0x7F || (at[0] < ' ' && at[0] != '\n' && at[0] != '\t')) {
            *at = '?';
            step = 1;
        }
        at += step;
        left -= step;
    }
}
