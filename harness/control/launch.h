/* launch.h — starts a process with three pipes, in a session of its own. */
#ifndef IPCMARK_CONTROL_LAUNCH_H
#define IPCMARK_CONTROL_LAUNCH_H

#include <sys/types.h>

struct launched {
    pid_t pid;
    int exit_fd;      /* readable once it has exited */
    int in, out, err; /* our ends of its standard streams */
};

/* 0, or -errno with nothing started. The descriptors are the caller's, and so is reaping. */
int launch(char *const *arguments, struct launched *out);

#endif
