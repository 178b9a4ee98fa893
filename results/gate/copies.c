#include "copies.h"

#include "../command/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <unistd.h>

static int copy(const char *from, const char *to)
{
    const int source = open(from, O_RDONLY | O_CLOEXEC);
    const int target = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
    ssize_t sent = source < 0 || target < 0 ? -1 : 1;
    int error;

    while (sent > 0)
        sent = sendfile(target, source, NULL, 1 << 20);
    error = sent < 0 ? -errno : 0;
    if (source >= 0)
        close(source);
    if (target >= 0)
        close(target);
    return error;
}

void copies_remove(const struct copies *copies)
{
    unlink(copies->candidate);
    unlink(copies->base);
    rmdir(copies->folder);
}

int copies_make(struct copies *out, const char *driver)
{
    const char *temporary = getenv("TMPDIR");
    int error;

    snprintf(out->folder, sizeof out->folder, "%s/ipcmark-gate.XXXXXX", temporary && *temporary ? temporary : "/tmp");
    if (mkdtemp(out->folder) == NULL)
        return command_error("gate", out->folder, -errno);
    snprintf(out->candidate, sizeof out->candidate, "%s/candidate.so", out->folder);
    snprintf(out->base, sizeof out->base, "%s/base.so", out->folder);
    error = copy(driver, out->candidate);
    if (error == 0)
        error = copy(driver, out->base);
    if (error == 0)
        return 0;
    copies_remove(out);
    return command_error("gate", driver, error);
}
