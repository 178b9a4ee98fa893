#include "message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAGIC = 0x6e756d62, PATTERN = 8192 };

struct header {
    uint32_t magic, publisher, number, size;
};

static char pattern_byte(size_t index)
{
    return (char)(index * 7 + (index >> 8));
}

/* Shapes are cut out of one pattern; no part of them looks like a header. */
static const char *pattern(void)
{
    static char bytes[PATTERN];
    if (bytes[1] == 0)
        for (size_t i = 0; i < sizeof bytes; ++i)
            bytes[i] = pattern_byte(i);
    return bytes;
}

static char body_byte(unsigned publisher, unsigned number, size_t index)
{
    return (char)(publisher * 59 + number * 31 + index + (index >> 8));
}

void message_write(char *memory, size_t size, unsigned publisher, unsigned number)
{
    struct header header = {MAGIC, publisher, number, (uint32_t)size};
    memcpy(memory, &header, sizeof header);
    for (size_t i = sizeof header; i < size; ++i)
        memory[i] = body_byte(publisher, number, i);
}

const char *message_check(struct message_log *log, const ipcmark_part *parts, size_t count)
{
    struct header header;
    const char *memory = parts[0].data;
    memcpy(&header, memory, sizeof header);
    if (count != 1 || header.size != parts[0].size || header.publisher >= MESSAGE_PUBLISHERS)
        return "a message of another shape came";
    for (size_t i = sizeof header; i < parts[0].size; ++i)
        if (memory[i] != body_byte(header.publisher, header.number, i))
            return "a message has other bytes";
    if (log->next[header.publisher] != 0 && log->next[header.publisher] != header.number)
        return "a message was lost, doubled or overtaken";
    log->next[header.publisher] = header.number + 1;
    log->last_publisher = header.publisher;
    ++log->total;
    return NULL;
}

void message_make_shape(struct message_shape *shape, const char *text)
{
    size_t many = text[0] == '*' ? (size_t)atol(text + 1) : 0;
    shape->count = 0;
    for (size_t i = 0; i < many && i < MESSAGE_PARTS; ++i)
        shape->parts[shape->count++] = (ipcmark_part){pattern(), i + 1};
    for (const char *at = text; many == 0 && at != NULL && *at != '-' && shape->count < MESSAGE_PARTS;) {
        size_t size = strtoul(at, NULL, 10);
        shape->parts[shape->count++] = (ipcmark_part){size > 0 ? pattern() : NULL, size};
        at = strchr(at, ',');
        at = at == NULL ? NULL : at + 1;
    }
}

bool message_is_shape(const ipcmark_part *parts, size_t count)
{
    uint32_t magic = MAGIC;
    return count == 0 || parts[0].size < MESSAGE_LEAST || memcmp(parts[0].data, &magic, sizeof magic) != 0;
}

static bool is_staircase(const ipcmark_part *parts, size_t count)
{
    for (size_t i = 0; i < count; ++i)
        if (parts[i].size != i + 1)
            return false;
    return count > 2;
}

const char *message_append_shape(char *text, size_t size, const ipcmark_part *parts, size_t count)
{
    size_t used = strlen(text);
    for (size_t i = 0; i < count; ++i)
        if (parts[i].size > PATTERN || (parts[i].size > 0 && memcmp(parts[i].data, pattern(), parts[i].size) != 0))
            return "a part has other bytes";
    if (used > 0)
        used += (size_t)snprintf(text + used, size - used, " ");
    if (count == 0) {
        snprintf(text + used, size - used, "-");
    } else if (is_staircase(parts, count)) {
        snprintf(text + used, size - used, "*%zu", count);
    } else {
        for (size_t i = 0; i < count && used < size; ++i)
            used += (size_t)snprintf(text + used, size - used, "%s%zu", i > 0 ? "," : "", parts[i].size);
    }
    return NULL;
}
