/* The exit of a participant: whom it started may take a moment to end, too; then they are named and killed, and only
 * then is it reaped: until then its number is nobody else's. */
#include "internal.h"

#include "names.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const double patience_seconds = 1; /* with whom it started */

/* One of those whom it started and who is still there. */
struct straggler {
    uv_poll_t end; /* first: its close frees all */
    ipcmark_participant *participant;
    int fd; /* of its pidfd */
};

static void free_straggler(uv_handle_t *handle)
{
    trial_handle_closed(handle);
    free(handle);
}

static void unwatch(ipcmark_participant *participant)
{
    struct straggler *straggler = participant->straggler;
    if (straggler == NULL)
        return;
    uv_close((uv_handle_t *)&straggler->end, free_straggler);
    close(straggler->fd);
    participant->straggler = NULL;
}

static void name_process(void *context, pid_t pid, const char *name)
{
    ipcmark_participant *participant = context;
    trial_trouble(participant->trial, IPCMARK_LEFTOVER, NULL, "%s left a process behind: %d (%s)", participant->name,
                  (int)pid, name);
}

static void conclude(ipcmark_participant *participant)
{
    ipcmark_session *session = participant->trial->session;
    unwatch(participant);
    /* The killed take along whom they can a moment later; one that ended of itself must have none left. */
    if (!WIFSIGNALED(participant->status))
        processes_of(&session->family, participant->pid, name_process, participant);
    processes_kill(&session->family, participant->pid);
    watchdog_forget(&session->watchdog, participant->pid);
    family_remove(&session->family, participant->pid);
    waitpid(participant->pid, NULL, 0);
    participant->exited = true;
    participant_exited(participant);
}

static void on_patience_over(uv_timer_t *timer)
{
    ipcmark_participant *participant = (ipcmark_participant *)((char *)timer - offsetof(ipcmark_participant, grace));
    session_poke(participant->trial->session);
    conclude(participant);
}

static void look(ipcmark_participant *participant);

static void on_straggler_end(uv_poll_t *end, int status, int events)
{
    ipcmark_participant *participant = ((struct straggler *)end)->participant;
    (void)status, (void)events;
    unwatch(participant);
    look(participant);
}

static int watch(ipcmark_participant *participant, pid_t pid)
{
    struct straggler *straggler = calloc(1, sizeof *straggler);
    if (straggler == NULL)
        return -ENOMEM;
    straggler->participant = participant;
    straggler->fd = (int)syscall(SYS_pidfd_open, pid, 0);
    int error =
        straggler->fd < 0 ? -errno : uv_poll_init(&participant->trial->session->loop, &straggler->end, straggler->fd);
    if (error < 0) {
        if (straggler->fd >= 0)
            close(straggler->fd);
        free(straggler);
        return error;
    }
    straggler->end.data = participant->trial;
    ++participant->trial->open_handles;
    participant->straggler = straggler;
    return uv_poll_start(&straggler->end, UV_READABLE, on_straggler_end);
}

static void keep_pid(void *context, pid_t pid, const char *name)
{
    (void)name;
    *(pid_t *)context = pid;
}

/* They are waited for one after the other. */
static void look(ipcmark_participant *participant)
{
    pid_t pid;
    do {
        pid = 0;
        processes_of(&participant->trial->session->family, participant->pid, keep_pid, &pid);
    } while (pid != 0 && watch(participant, pid) == -ESRCH);
    if (pid == 0)
        conclude(participant);
}

/* It has exited: exit_fd is readable. */
static void on_exit_of(uv_poll_t *exit, int status, int events)
{
    ipcmark_participant *participant = (ipcmark_participant *)((char *)exit - offsetof(ipcmark_participant, exit));
    const ipcmark_trial *trial = participant->trial;
    siginfo_t info = {0};
    (void)status, (void)events;
    /* -1: somebody else has reaped it. How it ended nobody will know, but end it did. */
    if (waitid(P_PID, (id_t)participant->pid, &info, WEXITED | WNOWAIT | WNOHANG) == 0 && info.si_pid == 0)
        return;
    names_look_at_offspring(participant);
    exit_unwatch(participant);
    participant->dead = true;
    participant->dumped = info.si_code == CLD_DUMPED;
    participant->status = info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status;
    if (WIFSIGNALED(participant->status)) {
        conclude(participant);
        return;
    }
    /* Who waits for its end has the deadline of a call for it. */
    const double most = trial->options.deadline_seconds / 2;
    const double seconds = patience_seconds < most ? patience_seconds : most;
    uv_timer_start(&participant->grace, on_patience_over, (uint64_t)(seconds * trial->session->scale * 1e3), 0);
    look(participant);
}

int exit_watch(ipcmark_participant *participant)
{
    int error = uv_poll_init(&participant->trial->session->loop, &participant->exit, participant->exit_fd);
    if (error < 0)
        return error;
    participant->exit.data = participant->trial;
    ++participant->trial->open_handles;
    return uv_poll_start(&participant->exit, UV_READABLE, on_exit_of);
}

void exit_unwatch(ipcmark_participant *participant)
{
    uv_handle_t *const handle = (uv_handle_t *)&participant->exit;
    unwatch(participant);
    if (handle->data != NULL && !uv_is_closing(handle))
        uv_close(handle, trial_handle_closed);
    if (participant->exit_fd > 0)
        close(participant->exit_fd);
    participant->exit_fd = 0;
}
