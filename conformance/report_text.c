#include "report.h"

#include <string.h>

static bool continues(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

int report_length(const char *text)
{
    int length = 0;
    for (; *text != '\0'; ++text)
        length += !continues(*text);
    return length;
}

/* The bytes of so many characters. */
static int bytes_of(const char *text, int characters)
{
    int bytes = 0;
    while (text[bytes] != '\0' && (characters > 0 || continues(text[bytes])))
        characters -= !continues(text[bytes++]);
    return bytes;
}

void report_column(FILE *file, const char *text, int width)
{
    const int length = report_length(text);
    if (length > width)
        fprintf(file, "%.*s…", bytes_of(text, width - 1), text);
    else
        fprintf(file, "%s%*s", text, width - length, "");
}

void report_coloured(FILE *file, const report_options *options, verdict value, const char *text, int width)
{
    static const char *const colours[VERDICT_COUNT] = {
        [VERDICT_PASS] = "\033[32m",   [VERDICT_FAIL] = "\033[1;31m", [VERDICT_UNKNOWN] = "\033[33m",
        [VERDICT_SKIP] = "\033[2m",    [VERDICT_XFAIL] = "\033[36m",  [VERDICT_XPASS] = "\033[1;31m",
        [VERDICT_ERROR] = "\033[1;35m"};
    const int length = report_length(text), room = width > 0 && width < length ? width : length;
    fputs(options->colour ? colours[value] : "", file);
    report_column(file, text, room);
    fprintf(file, "%s%*s", options->colour ? "\033[0m" : "", width > room ? width - room : 0, "");
}

void report_wrapped(FILE *file, const char *text, int indent, int width)
{
    int at = 0;
    for (text += strspn(text, " "); *text != '\0';) {
        const int bytes = (int)strcspn(text, " ");
        const int length = bytes_of(text, width) < bytes ? width : report_length(text) - report_length(text + bytes);
        if (at > 0 && at + 1 + length > width) {
            fputc('\n', file);
            at = 0;
        }
        fprintf(file, "%*s%.*s", at > 0 ? 1 : indent, "", bytes, text);
        at += at > 0 ? 1 + length : indent + length;
        text += bytes;
        text += strspn(text, " ");
    }
    fputc('\n', file);
}
