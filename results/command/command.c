#include "command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void command_say(const char *command, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    fprintf(stderr, "ipcmark %s: ", command);
    for (const char *letter = text ? text : "not enough memory"; *letter; ++letter)
        fputc(*letter == '\n' ? ' ' : *letter, stderr);
    fputc('\n', stderr);
    free(text);
}

int command_usage(const char *command, const char *text, const char *what)
{
    command_say(command, "%s%s; see ipcmark %s --help", text, what, command);
    return EXIT_USAGE;
}

int command_failed(const char *command, const char *text)
{
    command_say(command, "%s", text);
    return EXIT_UNREADABLE;
}

static const char *advice(int error)
{
    switch (-error) {
    case ENOENT:
        return "; check the name, and that its folder is there";
    case EISDIR:
        return "; name a file";
    case EACCES:
    case EPERM:
    case EROFS:
        return "; check its permissions, or name another place";
    case ENOSPC:
    case EDQUOT:
        return "; make room, or name another place";
    default:
        return "";
    }
}

int command_error(const char *command, const char *what, int error)
{
    command_say(command, "%s: %s%s", what, strerror(-error), advice(error));
    return EXIT_UNREADABLE;
}

int command_read(const char *command, char **files, size_t count, struct results_run **out)
{
    struct results_run *runs = calloc(count, sizeof *runs);
    char error[512];
    if (runs == NULL)
        return command_failed(command, "not enough memory");
    for (size_t i = 0; i < count; ++i)
        if (results_run_read(&runs[i], files[i], error, sizeof error) < 0) {
            command_free(runs, i);
            return command_failed(command, error);
        }
    *out = runs;
    return 0;
}

void command_free(struct results_run *runs, size_t count)
{
    for (size_t i = 0; i < count; ++i)
        results_run_free(&runs[i]);
    free(runs);
}

static int write_into(const char *path, const char *mode, const char *text)
{
    FILE *stream = fopen(path, mode);
    int error = 0;
    if (stream == NULL)
        return -errno;
    if (fputs(text, stream) == EOF)
        error = -errno;
    if (fclose(stream) == EOF && error == 0)
        error = -errno;
    return error;
}

/* A device, a FIFO or a link stays what it is: a file renamed over it would take its place. */
static bool replaceable(const char *path)
{
    struct stat status;
    return lstat(path, &status) < 0 || S_ISREG(status.st_mode);
}

int command_write(const char *path, const char *text)
{
    char *beside = NULL;
    int error;
    if (strcmp(path, "-") == 0)
        return fputs(text, stdout) == EOF || fflush(stdout) == EOF ? -errno : 0;
    if (!replaceable(path))
        return write_into(path, "we", text);
    if (asprintf(&beside, "%s.%ld.tmp", path, (long)getpid()) < 0)
        return -ENOMEM;
    error = write_into(beside, "wxe", text);
    if (error == 0 && rename(beside, path) < 0)
        error = -errno;
    if (error && error != -EEXIST)
        unlink(beside);
    free(beside);
    return error;
}

int command_load(char **out, const char *path)
{
    enum { MOST = 16 << 20 };
    FILE *stream = fopen(path, "re");
    char *text = NULL;
    size_t size;
    int error = 0;
    if (stream == NULL)
        return -errno;
    text = malloc(MOST + 1);
    if (text == NULL) {
        error = -ENOMEM;
        goto out;
    }
    size = fread(text, 1, MOST + 1, stream);
    if (ferror(stream))
        error = -EIO;
    else if (size > MOST)
        error = -EFBIG;
    else
        text[size] = '\0';
out:
    fclose(stream);
    if (error)
        free(text);
    else
        *out = text;
    return error;
}
