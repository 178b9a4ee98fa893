/* Text of drivers and participants is in result files, and goes from here to terminals, pages, tables and XML. */
#include "clean.h"

#include <stdint.h>

size_t results_character(const char *text)
{
    static const uint32_t least[] = {0, 0x20, 0x80, 0x800, 0x10000};
    const unsigned char *at = (const unsigned char *)text;
    size_t length = *at < 0x80 ? 1 : *at >= 0xf0 && *at < 0xf8 ? 4 : *at >= 0xe0 ? 3 : *at >= 0xc0 ? 2 : 0;
    uint32_t code = length == 1 ? *at : *at & (0x7fu >> length);
    if (*at >= 0xf8)
        return 0;
    for (size_t i = 1; i < length; ++i) {
        if ((at[i] & 0xc0) != 0x80) /* so is the NUL at the end */
            return 0;
        code = code << 6 | (at[i] & 0x3fu);
    }
    if (*at == '\n' || *at == '\t')
        return 1;
    if (length == 0 || code < least[length] || (code >= 0x7f && code < 0xa0) || (code >= 0xd800 && code < 0xe000) ||
        (code & 0xfffe) == 0xfffe || code > 0x10ffff)
        return 0;
    return length;
}

static void clean_text(char *text)
{
    while (text && *text) {
        size_t length = results_character(text);
        if (length == 0)
            *text = '?';
        text += length ? length : 1;
    }
}

void results_clean(cJSON *json)
{
    for (; json; json = json->next) {
        clean_text(json->string);
        clean_text(json->valuestring);
        results_clean(json->child);
    }
}
