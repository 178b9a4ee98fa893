/* Which build of an implementation it is: what it says of its name and version does not tell two builds apart. */
#include "ipcmark/control.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* Whether there is such a file. A FIFO by its name must not hang us. */
static bool add_file(uLong *sum, const char *path)
{
    static Bytef bytes[1 << 16];
    struct stat status;
    ssize_t size = 0;
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const bool file = descriptor >= 0 && fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
    while (file && (size = read(descriptor, bytes, sizeof bytes)) > 0)
        *sum = crc32_z(*sum, bytes, (size_t)size);
    if (descriptor >= 0)
        close(descriptor);
    return file && size == 0;
}

static bool add_driver(uLong *sum, const char *spec)
{
    char path[PATH_MAX];
    return ipcmark_driver_path(spec, path, sizeof path) == 0 && add_file(sum, path);
}

static void add_agent(uLong *sum, const char *command)
{
    static const char between[] = " \t\n'\"";
    char word[PATH_MAX];
    *sum = crc32_z(*sum, (const Bytef *)command, strlen(command));
    for (; *command != '\0'; command += strcspn(command, between)) {
        command += strspn(command, between);
        if ((size_t)snprintf(word, sizeof word, "%.*s", (int)strcspn(command, between), command) < sizeof word)
            add_file(sum, word);
    }
}

void ipcmark_target_digest(char out[IPCMARK_DIGEST_SIZE], const ipcmark_target *target)
{
    uLong sum = crc32_z(0, NULL, 0);
    out[0] = '\0';
    if (target->agent != NULL)
        add_agent(&sum, target->agent);
    else if (!add_driver(&sum, target->driver))
        return;
    snprintf(out, IPCMARK_DIGEST_SIZE, "%08lx", sum);
}
