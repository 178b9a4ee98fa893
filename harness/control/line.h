/* line.h — cuts a stream of bytes into lines. */
#ifndef CONTROL_LINE_H
#define CONTROL_LINE_H

#include <stdbool.h>
#include <stddef.h>

enum { LINE_MAX_BYTES = 1 << 20 };

struct line_reader {
    char *buffer;
    size_t length, capacity;
};

/* Calls `found` with each whole line, NUL-terminated, without its newline; it returns less than 0 to stop.
 * Returns 0, what `found` returned, -ENOMEM, or -EMSGSIZE once a line is longer than LINE_MAX_BYTES. */
int line_feed(struct line_reader *, const char *bytes, size_t size, int found(void *context, char *line, size_t length),
              void *context);
void line_free(struct line_reader *);

/* Whether it is UTF-8, without NUL. */
bool line_is_text(const char *line, size_t length);
/* For people and for the files that quote it: '?' in place of what is no character, or a control character other than
 * newline and tab; a character that was cut in two at the end goes. */
void line_make_printable(char *text);

#endif
