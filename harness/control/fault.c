/* Faults: what is done to participants on purpose. */
#include "internal.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

int ipcmark_kill(ipcmark_participant *participant)
{
    if (!ipcmark_participant_alive(participant))
        return -ESRCH;
    participant->kill_sent = true;
    if (participant->suicides == 0) /* or it may be dead already, by its own hand: since that was asked for */
        participant->kill_from_ns = ipcmark_now_ns();
    participant_signal(participant, SIGKILL);
    return 0;
}

void ipcmark_expect_exit(ipcmark_participant *participant)
{
    participant->exit_expected = true;
    participant->kill_from_ns = ipcmark_now_ns();
}

int ipcmark_await_exit(ipcmark_participant *participant, int *status)
{
    ipcmark_trial *trial = participant->trial;
    if (!participant_await_end(participant, trial->options.deadline_seconds))
        return session_fail(trial->session, -ETIMEDOUT, "%s is still there", participant->name);
    if (status != NULL)
        *status = participant->status;
    return 0;
}

/* SIGSTOP takes effect a little later, or never: a child that it shares its memory with until the exec may have been
 * stopped first, or somebody else lets it go on. The kernel tells its parent when it did. WNOWAIT: an exit is for the
 * loop to take in. */
static int await_stop(ipcmark_participant *participant)
{
    enum { LOOK_AGAIN_MS = 1 };
    ipcmark_trial *trial = participant->trial;
    const double seconds = trial->options.deadline_seconds * trial->session->scale;
    const uint64_t end_ns = ipcmark_now_ns() + (uint64_t)(seconds * 1e9);
    siginfo_t info = {0};
    while (info.si_pid == 0) {
        if (participant->exited)
            return -ESRCH;
        if (waitid(P_PID, (id_t)participant->pid, &info, WSTOPPED | WEXITED | WNOWAIT | WNOHANG) < 0 && errno != EINTR)
            return -errno;
        if (info.si_pid != 0)
            break;
        if (ipcmark_now_ns() > end_ns) {
            trial_trouble(trial, IPCMARK_HUNG, participant, "%s was told to stop by SIGSTOP and had not after %.1f s",
                          participant->name, seconds);
            return -ETIMEDOUT;
        }
        if (!ipcmark_wait(trial, LOOK_AGAIN_MS))
            return -EINTR;
    }
    if (info.si_code != CLD_STOPPED)
        return -ESRCH;
    waitid(P_PID, (id_t)participant->pid, &info, WSTOPPED | WNOHANG);
    return 0;
}

int ipcmark_pause(ipcmark_participant *participant)
{
    if (!ipcmark_participant_alive(participant))
        return -ESRCH;
    if (participant->pause_from_ns == 0)
        participant->pause_from_ns = ipcmark_now_ns();
    participant_signal(participant, SIGSTOP);
    return await_stop(participant);
}

/* from_ns: 0 if it did not begin */
static void log_fault(ipcmark_participant *participant, enum ipcmark_fault_kind kind, uint64_t *from_ns)
{
    struct ipcmark_fault fault = {
        .kind = kind, .process = participant->number, .from_ns = *from_ns, .until_ns = ipcmark_now_ns()};
    if (*from_ns != 0)
        ipcmark_history_log_fault(participant->trial->history, &fault);
    *from_ns = 0;
}

void participant_log_death(ipcmark_participant *participant)
{
    struct ipcmark_fault kill = {.kind = IPCMARK_FAULT_KILL,
                                 .process = participant->number,
                                 .from_ns = participant->kill_from_ns,
                                 .until_ns = ipcmark_now_ns()};
    log_fault(participant, IPCMARK_FAULT_PAUSE, &participant->pause_from_ns);
    log_fault(participant, IPCMARK_FAULT_OVERLOAD, &participant->overload_from_ns);
    ipcmark_history_log_fault(participant->trial->history, &kill);
}

int ipcmark_resume(ipcmark_participant *participant)
{
    if (!ipcmark_participant_alive(participant))
        return -ESRCH;
    participant_signal(participant, SIGCONT);
    log_fault(participant, IPCMARK_FAULT_PAUSE, &participant->pause_from_ns);
    return 0;
}

int ipcmark_overload(ipcmark_participant *participant, bool begins)
{
    if (begins)
        participant->overload_from_ns = ipcmark_now_ns();
    else
        log_fault(participant, IPCMARK_FAULT_OVERLOAD, &participant->overload_from_ns);
    return 0;
}
