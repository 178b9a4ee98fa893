#include "processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MARK "IPCMARK_PARTICIPANT" /* =RUN/PARTICIPANT: 16 hex digits, a process number */

struct process {
    char name[64];
    bool dead; /* all its threads have ended; it is a zombie too whose first one has */
    pid_t pid, parent, session;
};

/* Whom to find. */
struct search {
    const struct family *family; /* NULL: of the guard, which has none */
    uint64_t run;
    pid_t participant; /* 0: none, any */
    bool (*fits)(const struct search *, const struct process *);
    process_found *found;
    void *context;
};

int processes_mark(uint64_t run)
{
    char value[64];
    snprintf(value, sizeof value, "%016" PRIx64 "/%d", run, (int)getpid());
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
    int parent, session, threads;
    char state;
    if (name == NULL || end == NULL ||
        sscanf(end + 1, " %c %d %*d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d", &state, &parent,
               &session, &threads) != 4)
        return -EBADMSG;
    out->dead = state == 'X' || (state == 'Z' && threads <= 1);
    snprintf(out->name, sizeof out->name, "%.*s", (int)(end - name - 1), name + 1);
    out->pid = (pid_t)atoi(pid);
    out->parent = parent;
    out->session = session;
    return 0;
}

/* Whether a process was started with a mark that it lets us see. */
static bool read_mark(pid_t pid, uint64_t *run, pid_t *participant)
{
    char path[64], *text = NULL;
    size_t size = 0;
    bool found = false;
    snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
    FILE *file = fopen(path, "re");
    while (!found && file != NULL && getdelim(&text, &size, '\0', file) > 0)
        found = sscanf(text, MARK "=%16" SCNx64 "/%d", run, participant) == 2;
    free(text);
    if (file != NULL)
        fclose(file);
    return found;
}

static bool is_own(const struct family *family, pid_t child)
{
    for (size_t i = 0; i < family->count; ++i)
        if (family->own[i] == child)
            return true;
    return false;
}

static bool is_of_session(const struct search *search, const struct process *process)
{
    return process->session == search->participant;
}

static bool is_marked(const struct search *search, const struct process *process)
{
    uint64_t run;
    pid_t participant;
    return read_mark(process->pid, &run, &participant) && run == search->run &&
           (search->participant == 0 || participant == search->participant);
}

static bool is_child(const struct search *search, const struct process *process)
{
    (void)search;
    return process->parent == getpid();
}

/* Few have to be asked for their marks: the orphans, which are our children by now. */
static bool is_of_participant(const struct search *search, const struct process *process)
{
    return is_of_session(search, process) || (is_child(search, process) && is_marked(search, process));
}

/* Those whom we start without a word to the family stay in our session. */
static bool is_adopted(const struct search *search, const struct process *process)
{
    return is_child(search, process) && process->session != getsid(0) && !is_own(search->family, process->pid);
}

static bool is_of_nobody(const struct search *search, const struct process *process)
{
    uint64_t run;
    pid_t participant;
    return search->family->alone && is_adopted(search, process) && !read_mark(process->pid, &run, &participant);
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
        if (process.dead && search->family != NULL && is_adopted(search, &process))
            waitpid(process.pid, NULL, WNOHANG); /* nobody else does */
        if (process.dead || !search->fits(search, &process))
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

/* Not of the first process of a container: what is run beside it leaves its orphans to it, too. */
static void add_child(void *context, pid_t pid, const char *name)
{
    struct family *family = context;
    (void)name;
    family->alone = false;
    family_add(family, pid);
}

int family_open(struct family *out)
{
    *out = (struct family){.alone = getpid() != 1};
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        return -errno;
    if (getrandom(&out->run, sizeof out->run, 0) != sizeof out->run)
        return -EIO;
    int count = find(&(struct search){.fits = is_child, .found = add_child, .context = out});
    return count < 0 ? count : 0;
}

void family_close(struct family *self)
{
    free(self->own);
    *self = (struct family){0};
}

int family_add(struct family *self, pid_t child)
{
    if (self->count == self->capacity) {
        const size_t capacity = 2 * self->capacity + 16;
        pid_t *grown = realloc(self->own, capacity * sizeof *grown);
        if (grown == NULL)
            return -ENOMEM;
        self->own = grown;
        self->capacity = capacity;
    }
    self->own[self->count++] = child;
    return 0;
}

void family_remove(struct family *self, pid_t child)
{
    for (size_t i = 0; i < self->count; ++i)
        if (self->own[i] == child) {
            self->own[i] = self->own[--self->count];
            return;
        }
}

bool processes_are_offspring(const struct family *family, pid_t pid)
{
    uint64_t run;
    pid_t participant;
    return read_mark(pid, &run, &participant) && run == family->run;
}

static struct search of_participant(const struct family *family, pid_t participant)
{
    return (struct search){.family = family, .run = family->run, .participant = participant, .fits = is_of_participant};
}

int processes_of(const struct family *family, pid_t participant, process_found *found, void *context)
{
    struct search search = of_participant(family, participant);
    search.found = found;
    search.context = context;
    return find(&search);
}

int processes_kill(const struct family *family, pid_t participant)
{
    return kill_all(of_participant(family, participant));
}

int processes_of_nobody(const struct family *family, process_found *found, void *context)
{
    return find(&(struct search){.family = family, .fits = is_of_nobody, .found = found, .context = context});
}

int processes_kill_of_nobody(const struct family *family)
{
    return kill_all((struct search){.family = family, .fits = is_of_nobody});
}

int processes_kill_session(pid_t session)
{
    return kill_all((struct search){.participant = session, .fits = is_of_session});
}

int processes_kill_marked(uint64_t run)
{
    return kill_all((struct search){.run = run, .fits = is_marked});
}
