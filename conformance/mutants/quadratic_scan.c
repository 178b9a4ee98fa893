#include "mutant.h"
#include "scan.h"

#include <fcntl.h>
#include <sys/stat.h>

static const char *wanted;
static unsigned long long same;

static void compare(int directory, const char *name)
{
    struct stat status;
    same += fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && strcmp(wanted, name) == 0;
}

static const char *path;

static void compare_with_all(int directory, const char *name)
{
    (void)directory;
    wanted = name;
    scan(path, compare);
}

/* Is any of them there twice? */
static int look_at_open(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)endpoint;
    path = options->directory;
    scan(path, compare_with_all);
    return 0;
}

MUTANT(.name = "quadratic_scan", .fault = "it compares each file of the directory with each other",
       .class_name = "late hung", .must_fail = "ENV-010", .may_fail = "ENV-006", .before_open = look_at_open)
