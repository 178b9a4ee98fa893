/* RLIMIT_FSIZE, looked at before a file is made: to reach it brings SIGXFSZ, which ends the process. */
#ifndef MMIPC_LIMIT_H
#define MMIPC_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>

static inline bool limit_forbids_file(size_t bytes)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && bytes > limit.rlim_cur;
}

#endif
