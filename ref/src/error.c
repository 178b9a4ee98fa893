#include "mmipc/mmipc.h"

#include <errno.h>

#ifndef MMIPC_VERSION
#define MMIPC_VERSION "0.1.0"
#endif

const char *mmipc_version(void)
{
    return MMIPC_VERSION;
}

const char *mmipc_strerror(int error)
{
    switch (error > 0 ? -error : error) { /* so that INT_MIN, too, has a text */
    case 0:
        return "success";
    case -EPERM:
        return "the handle was opened before fork(), or the operation is not permitted: open a new handle in the child";
    case -EACCES:
        return "permission denied: check owner and mode of the directory; it must be readable, writable and searchable";
    case -ENOENT:
        return "the directory does not exist and could not be made";
    case -ENOTDIR:
        return "part of the directory's path is not a directory";
    case -EROFS:
        return "the directory is on a read-only file system: choose another";
    case -ENOSPC:
        return "no space or inode is left for the endpoint's file in the directory";
    case -EMFILE:
        return "too many descriptors are open in this process: raise RLIMIT_NOFILE";
    case -ENFILE:
        return "too many descriptors are open on this system: raise fs.file-max";
    case -ENOMEM:
        return "out of memory, shared memory included: lower segment_bytes, or raise the limit of the process or "
               "container";
    case -EINVAL:
        return "an argument is invalid: a channel has 1 to 255 bytes, options come from mmipc_options_init";
    case -E2BIG:
        return "the options have fields that this version of the library does not know: update the library";
    case -EFBIG:
        return "a file or shared memory may not be made that large: raise RLIMIT_FSIZE, or lower segment_bytes";
    case -ELOOP:
        return "the directory's path has too many symbolic links";
    case -EDQUOT:
        return "the user's quota on the directory's file system is used up";
    case -ENAMETOOLONG:
        return "the directory's path is too long";
    case -EAGAIN:
        return "a subscriber's backlog is full; nobody received the message: try again later";
    case -ETIMEDOUT:
        return "the time-out expired; a message that was to be published reached nobody";
    case -EMSGSIZE:
        return "the message is larger than a pair can hold: raise segment_bytes and max_backlog_bytes";
    case -EDEADLK:
        return "the call would wait on one of the library's own threads: do it from another thread";
    case -ESHUTDOWN:
        return "the handle was closed during the call";
    case -EPROTO:
        return "the other process sent something that is not of the protocol";
    default:
        return "an error of the operating system: see errno(3)";
    }
}
