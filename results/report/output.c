#include "output.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A device, a FIFO or a link stays what it is: a file renamed over it would take its place. */
static bool replaceable(const char *path)
{
    struct stat status;
    return lstat(path, &status) < 0 || S_ISREG(status.st_mode);
}

static int write_into(const char *path, const char *text)
{
    FILE *stream = fopen(path, "we");
    int error = 0;
    if (stream == NULL)
        return -errno;
    if (fputs(text, stream) == EOF)
        error = -errno;
    if (fclose(stream) == EOF && error == 0)
        error = -errno;
    return error;
}

int output_write(const char *path, const char *text)
{
    char *beside = NULL;
    FILE *stream = NULL;
    int error = 0;
    if (strcmp(path, "-") == 0)
        return fputs(text, stdout) == EOF || fflush(stdout) == EOF ? -errno : 0;
    if (!replaceable(path))
        return write_into(path, text);
    if (asprintf(&beside, "%s.%ld.tmp", path, (long)getpid()) < 0)
        return -ENOMEM;
    stream = fopen(beside, "wxe");
    if (stream == NULL) {
        error = -errno;
        goto out;
    }
    if (fputs(text, stream) == EOF)
        error = -errno;
    if (fclose(stream) == EOF && error == 0)
        error = -errno;
    if (error == 0 && rename(beside, path) < 0)
        error = -errno;
    if (error)
        unlink(beside);
out:
    free(beside);
    return error;
}

int output_read(char **out, const char *path)
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
