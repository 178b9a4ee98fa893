#include "processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MARK "IPCMARK_PARTICIPANT" /* =COORDINATOR/PARTICIPANT, two process numbers */

struct process {
    char name[64];
    char state;
    pid_t pid, parent, session;
};

/* Whom a search is about. */
struct search {
    pid_t coordinator, participant; /* 0: none, any */
    bool (*fits)(const struct search *, const struct process *);
    process_found *found;
    void *context;
};

int processes_adopt(void)
{
    return prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 ? -errno : 0;
}

int processes_mark(pid_t coordinator)
{
    char value[64];
    snprintf(value, sizeof value, "%d/%d", (int)coordinator, (int)getpid());
    return setenv(MARK, value, 1) < 0 ? -errno : 0;
}

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
    int parent, session;
    if (name == NULL || end == NULL || sscanf(end + 1, " %c %d %*d %d", &out->state, &parent, &session) != 3)
        return -EBADMSG;
    snprintf(out->name, sizeof out->name, "%.*s", (int)(end - name - 1), name + 1);
    out->pid = (pid_t)atoi(pid);
    out->parent = parent;
    out->session = session;
    return 0;
}

/* The mark that a process was started with; both 0: none, or it is not ours to see. */
static void read_mark(pid_t pid, int *coordinator, int *participant)
{
    char path[64], *text = NULL;
    size_t size = 0;
    *coordinator = *participant = 0;
    snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && getdelim(&text, &size, '\0', file) > 0)
        if (sscanf(text, MARK "=%d/%d", coordinator, participant) == 2)
            break;
    free(text);
    if (file != NULL)
        fclose(file);
}

bool processes_are_offspring(pid_t pid)
{
    int coordinator, participant;
    read_mark(pid, &coordinator, &participant);
    return coordinator == (int)getpid();
}

static bool is_of_session(const struct search *search, const struct process *process)
{
    return process->session == search->participant;
}

static bool is_marked(const struct search *search, const struct process *process)
{
    int coordinator, participant;
    read_mark(process->pid, &coordinator, &participant);
    return coordinator == (int)search->coordinator &&
           (search->participant == 0 || participant == (int)search->participant);
}

/* Few have to be asked for their marks: the orphans, which are our children by now. */
static bool is_of_participant(const struct search *search, const struct process *process)
{
    return is_of_session(search, process) || (process->parent == search->coordinator && is_marked(search, process));
}

/* Our other children are in our session, but for the guard. */
static bool is_of_nobody(const struct search *search, const struct process *process)
{
    int coordinator, participant;
    if (process->parent != search->coordinator || process->session == getsid(0) ||
        strcmp(process->name, "ipcmark-guard") == 0)
        return false;
    read_mark(process->pid, &coordinator, &participant);
    return coordinator == 0;
}

/* An orphan that has ended by itself. Participants, which lead their sessions, are reaped by who watches them. */
static void reap(const struct search *search, const struct process *process)
{
    if (process->parent == getpid() && process->pid != process->session &&
        (is_of_session(search, process) || (search->fits == is_of_nobody && process->session != getsid(0))))
        waitpid(process->pid, NULL, WNOHANG);
}

static int find(const struct search *search)
{
    DIR *directory = opendir("/proc");
    int count = 0;
    if (directory == NULL)
        return -errno;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        struct process process = {0};
        if (entry->d_name[0] < '0' || entry->d_name[0] > '9' || process_read(entry->d_name, &process) < 0)
            continue;
        if (process.state == 'Z')
            reap(search, &process);
        if (process.state == 'Z' || process.state == 'X' || !search->fits(search, &process))
            continue;
        ++count;
        if (search->found != NULL)
            search->found(search->context, process.pid, process.name);
    }
    closedir(directory);
    return count;
}

/* By pidfd, so that the signal cannot hit another process that got the number meanwhile. An adopted one is ours to
 * reap, and nobody else waits for it. */
static void kill_one(void *context, pid_t pid, const char *name)
{
    (void)context, (void)name;
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0)
        return;
    struct pollfd ended = {.fd = fd, .events = POLLIN};
    if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0 && poll(&ended, 1, 1000) == 1)
        waitpid(pid, NULL, WNOHANG);
    close(fd);
}

static int kill_all(struct search search)
{
    /* More than one round only if they fork meanwhile, or if one is stuck in the kernel. */
    int left = 1;
    search.found = kill_one;
    for (int round = 0; left > 0 && round < 10; ++round)
        left = find(&search);
    return left == 0 ? 0 : -EBUSY;
}

int processes_of(pid_t participant, process_found *found, void *context)
{
    return find(&(struct search){getpid(), participant, is_of_participant, found, context});
}

int processes_kill(pid_t participant)
{
    return kill_all((struct search){getpid(), participant, is_of_participant, NULL, NULL});
}

int processes_of_nobody(process_found *found, void *context)
{
    return find(&(struct search){getpid(), 0, is_of_nobody, found, context});
}

int processes_kill_of_nobody(void)
{
    return kill_all((struct search){getpid(), 0, is_of_nobody, NULL, NULL});
}

int processes_kill_session(pid_t session)
{
    return kill_all((struct search){0, session, is_of_session, NULL, NULL});
}

int processes_kill_marked(pid_t coordinator)
{
    return kill_all((struct search){coordinator, 0, is_marked, NULL, NULL});
}
