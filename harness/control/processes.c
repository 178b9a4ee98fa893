#include "processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct process {
    char name[64];
    char state;
    pid_t session;
};

/* "pid (name) state ppid pgrp session …": the name may hold anything, the last parenthesis ends it. */
static int process_read(const char *pid, struct process *out)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    if (size <= 0)
        return -ESRCH;
    text[size] = '\0';
    char *name = strchr(text, '('), *end = strrchr(text, ')');
    int session;
    if (name == NULL || end == NULL || sscanf(end + 1, " %c %*d %*d %d", &out->state, &session) != 2)
        return -EBADMSG;
    snprintf(out->name, sizeof out->name, "%.*s", (int)(end - name - 1), name + 1);
    out->session = session;
    return 0;
}

int processes_of_session(pid_t session, void found(void *context, pid_t pid, const char *name), void *context)
{
    DIR *directory = opendir("/proc");
    int count = 0;
    if (directory == NULL)
        return -errno;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        struct process process = {0};
        if (entry->d_name[0] < '0' || entry->d_name[0] > '9' || process_read(entry->d_name, &process) < 0 ||
            process.session != session || process.state == 'Z' || process.state == 'X')
            continue;
        ++count;
        if (found != NULL)
            found(context, (pid_t)atoi(entry->d_name), process.name);
    }
    closedir(directory);
    return count;
}

/* By pidfd, so that the signal cannot hit another process that got the number meanwhile. */
static void kill_one(void *context, pid_t pid, const char *name)
{
    (void)context, (void)name;
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0)
        return;
    struct pollfd ended = {.fd = fd, .events = POLLIN};
    if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0)
        poll(&ended, 1, 1000);
    close(fd);
}

int processes_kill_session(pid_t session)
{
    /* More than one round only if they fork meanwhile, or if one is stuck in the kernel. */
    int left = 1;
    for (int round = 0; left > 0 && round < 10; ++round)
        left = processes_of_session(session, kill_one, NULL);
    return left == 0 ? 0 : -EBUSY;
}
