/* How commands end. */
#include "tool.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <signal.h>

int complain(const char *format, ...)
{
    va_list arguments;
    fputs("mmipc: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return EXIT_FAILED;
}

int misused(const char *command, const char *format, ...)
{
    va_list arguments;
    fputs("mmipc: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "; see mmipc %s%s--help\n", command, *command == '\0' ? "" : " ");
    return EXIT_USAGE;
}

int end_for_error(const char *what, int error)
{
    if (error == -EINTR && stop_signal() != 0)
        return EXIT_BY_SIGNAL + stop_signal();
    if (error == -EPIPE)
        return EXIT_BY_SIGNAL + SIGPIPE;
    return complain("%s: %s", what, strerror(-error));
}

int end_output(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    return end_for_error("cannot write to standard output", errno == 0 ? -EIO : -errno);
}
