/* The test's messages. A numbered one is a single part that tells its publisher, its number and its size, and whose
 * every byte follows from these; a shaped one is anything else, for the boundaries of parts. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "ipcmark/driver.h"

#include <stdbool.h>

enum { MESSAGE_PUBLISHERS = 10, MESSAGE_LEAST = 16, MESSAGE_PARTS = 2048 };

/* What one subscriber has received. */
struct message_log {
    long total;
    unsigned last_publisher;
    unsigned next[MESSAGE_PUBLISHERS]; /* number after the last that came, or 0 */
};

struct message_shape {
    ipcmark_part parts[MESSAGE_PARTS];
    size_t count;
};

void message_write(char *memory, size_t size, unsigned publisher, unsigned number);
/* NULL, or what is wrong with this message after those in the log. The first of a publisher may have any number. */
const char *message_check(struct message_log *log, const ipcmark_part *parts, size_t count);

/* "3,0,5": parts of these sizes; "-": none; "*1000": so many parts of 1, 2, 3, … bytes. */
void message_make_shape(struct message_shape *shape, const char *text);
bool message_is_shape(const ipcmark_part *parts, size_t count);
/* Appends " TEXT" as above. NULL, or what is wrong with the bytes. */
const char *message_append_shape(char *text, size_t size, const ipcmark_part *parts, size_t count);

#endif
