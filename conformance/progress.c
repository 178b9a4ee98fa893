#include "progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Until this much was measured, the rule says more than how the machine compares with it. */
static const double seconds_to_learn = 5;

static size_t terminal_width(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

/* Cuts to so many characters, of UTF-8 that may be several bytes each. */
static void cut(char *text, size_t width)
{
    size_t count = 0;
    for (char *at = text; *at != '\0'; ++at)
        if (((unsigned char)*at & 0xC0) != 0x80 && ++count > width) {
            *at = '\0';
            return;
        }
}

void progress_show(const char *format, ...)
{
    char line[1024] = "";
    va_list arguments;
    if (!isatty(STDERR_FILENO))
        return;
    va_start(arguments, format);
    if (format != NULL)
        vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    cut(line, terminal_width() - 1); /* a full line would wrap, and could not be wiped away */
    fprintf(stderr, "\r\033[K%s", line);
    fflush(stderr);
}

double progress_left(const progress_kind *kinds, size_t count)
{
    double usual = seconds_to_learn, measured = seconds_to_learn, left = 0;
    for (size_t i = 0; i < count; ++i) {
        usual += kinds[i].usual * kinds[i].ended;
        measured += kinds[i].measured;
    }
    for (size_t i = 0; i < count; ++i) {
        const progress_kind *kind = &kinds[i];
        const double each = kind->ended > 0 ? kind->measured / kind->ended : kind->usual * measured / usual;
        if (kind->planned > kind->ended)
            left += each * (kind->planned - kind->ended);
    }
    return left;
}

const char *progress_text(double seconds, char *text, size_t size)
{
    if (seconds < 1)
        text[0] = '\0';
    else if (seconds < 90)
        snprintf(text, size, "about %.0f s left", seconds);
    else if (seconds < 5400)
        snprintf(text, size, "about %.0f min left", seconds / 60);
    else
        snprintf(text, size, "about %.1f h left", seconds / 3600);
    return text;
}
