/* Text that others wrote, made fit to print; numbers of the command line. */
#include "tool.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many bytes the character at `at` has, and which it is; 0: not UTF-8. */
static size_t decode(const unsigned char *at, size_t left, uint32_t *character)
{
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    const size_t length = *at < 0x80 ? 1 : *at < 0xc2 ? 0 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : *at < 0xf5 ? 4 : 0;
    uint32_t value = length < 2 ? *at : *at & (0x7fu >> length);
    if (length == 0 || length > left)
        return 0;
    for (size_t i = 1; i < length; ++i) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (at[i] & 0x3f);
    }
    if (value < lowest[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *character = value;
    return length;
}

/* Control characters, and those that turn the direction of what follows. */
static bool harmless(uint32_t character)
{
    return character >= 0x20 && !(character >= 0x7f && character < 0xa0) &&
           !(character >= 0x200e && character <= 0x200f) && !(character >= 0x2028 && character <= 0x202e) &&
           !(character >= 0x2066 && character <= 0x2069);
}

static char short_escape(unsigned char character)
{
    switch (character) {
    case '\n':
        return 'n';
    case '\t':
        return 't';
    case '\r':
        return 'r';
    case '\\':
        return '\\';
    case '"':
        return '"';
    default:
        return '\0';
    }
}

char *text_escaped(const void *data, size_t size)
{
    const unsigned char *from = data;
    char *text = malloc(4 * size + 1), *to = text;
    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < size;) {
        uint32_t character = 0;
        size_t length = decode(from + i, size - i, &character);
        const char letter = short_escape(length == 1 ? from[i] : 0);
        if (letter != '\0') {
            *to++ = '\\';
            *to++ = letter;
            ++i;
        } else if (length != 0 && harmless(character)) {
            memcpy(to, from + i, length);
            to += length;
            i += length;
        } else {
            for (const size_t end = i + (length == 0 ? 1 : length); i < end; ++i)
                to += sprintf(to, "\\x%02x", from[i]);
        }
    }
    *to = '\0';
    return text;
}

char *text_escaped_json(const char *json)
{
    const size_t size = strlen(json);
    char *text = malloc(6 * size + 1), *to = text;
    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < size;) {
        uint32_t character = 0;
        const size_t length = decode((const unsigned char *)json + i, size - i, &character);
        if (length == 0 || harmless(character)) {
            *to++ = json[i++];
            for (size_t more = 1; more < length; ++more)
                *to++ = json[i++];
        } else {
            to += sprintf(to, "\\u%04x", character); /* none of them is beyond four digits */
            i += length;
        }
    }
    *to = '\0';
    return text;
}

bool text_is_utf8(const char *text)
{
    const size_t size = strlen(text);
    uint32_t character;
    for (size_t i = 0; i < size;) {
        const size_t length = decode((const unsigned char *)text + i, size - i, &character);
        if (length == 0)
            return false;
        i += length;
    }
    return true;
}

bool parse_seconds(const char *text, double *out)
{
    char *end;
    const double value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value) || value < 0 || value > 1e8)
        return false;
    *out = value;
    return true;
}

bool parse_count(const char *text, long *out)
{
    char *end;
    long value;
    errno = 0;
    value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || value < 0)
        return false;
    *out = value;
    return true;
}
