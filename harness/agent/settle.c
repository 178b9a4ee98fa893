/* Who closes an endpoint wakes those that wait inside the driver, but must not run ahead of those that are just about
 * to enter it. Nobody sees the one from the other outside; but who sleeps is inside, for between its last look at
 * `closing` and the driver nothing sleeps, and who has run for a while since is either inside or has looked again. What
 * remains is who wants to run and does not get a CPU: for that one there is no waiting too long. */
#include "agent.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CPUCLOCK_OF_THREAD = 6 };          /* pthread_getcpuclockid() makes clocks of threads' ids so */
static const uint64_t while_ns = 2000000; /* many times what lies between the look and the driver */
/* A hypervisor may have stopped a CPU, and its time counts as used: such a stop is shorter. It is also all there is
 * where /proc cannot be read. */
static const uint64_t patience_ns = 50000000;

/* False: it has ended. */
static bool used_ns(pid_t thread, uint64_t *ns)
{
    struct timespec used;
    if (clock_gettime((clockid_t)(~(unsigned)thread << 3 | CPUCLOCK_OF_THREAD), &used) < 0)
        return false;
    *ns = (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
    return true;
}

/* "4711 (a name, which may hold anything) S …" */
static bool sleeps(pid_t thread)
{
    char path[64], text[128];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)thread);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = file < 0 ? -1 : read(file, text, sizeof text - 1);
    if (file >= 0)
        close(file);
    text[size < 0 ? 0 : size] = '\0';
    const char *state = strrchr(text, ')');
    return state != NULL && strncmp(state, ") S", 3) == 0;
}

static bool is_settled(const struct settling_thread *thread, bool patient)
{
    uint64_t ns;
    return !used_ns(thread->id, &ns) || sleeps(thread->id) || (patient && ns - thread->begun_ns >= while_ns);
}

void settle_begin(struct settle *self)
{
    DIR *tasks = opendir("/proc/self/task");
    const struct dirent *task;
    self->count = 0;
    self->blind = tasks == NULL;
    self->begun_ns = ipcmark_now_ns();
    while (tasks != NULL && (task = readdir(tasks)) != NULL && self->count < SETTLE_MOST) {
        struct settling_thread *thread = &self->threads[self->count];
        thread->id = (pid_t)atoi(task->d_name);
        self->count += thread->id > 0 && thread->id != gettid() && used_ns(thread->id, &thread->begun_ns);
    }
    self->blind |= self->count == SETTLE_MOST;
    if (tasks != NULL)
        closedir(tasks);
}

bool settle_done(struct settle *self)
{
    const bool patient = ipcmark_now_ns() - self->begun_ns >= patience_ns;
    while (self->count > 0 && is_settled(&self->threads[self->count - 1], patient))
        --self->count;
    return self->count == 0 && (patient || !self->blind);
}
