#include "mutant.h"
#include "scan.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Through a link, wherever it leads. */
static void mark(int directory, const char *name)
{
    struct stat status;
    int file;
    if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISLNK(status.st_mode))
        return;
    file = openat(directory, name, O_WRONLY | O_TRUNC | O_NONBLOCK | O_CLOEXEC);
    if (file >= 0)
        close(file);
}

static int mark_at_open(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)endpoint;
    scan(options->directory, mark);
    return 0;
}

MUTANT(.name = "follows_symlink", .fault = "it empties the file that a link in the directory points to",
       .class_name = "corrupt", .must_fail = "ENV-001", .may_fail = "ENV-002", .before_open = mark_at_open)
