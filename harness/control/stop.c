/* The end of a trial: everyone is stopped, and what is left is counted. */
#include "internal.h"

#include "names.h"
#include "tree.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static ipcmark_call *begin_stop(ipcmark_participant *participant)
{
    if (!ipcmark_participant_alive(participant) || participant->garbled)
        return NULL;
    /* A stopped one could not even obey. */
    if (participant->pause_from_ns != 0)
        ipcmark_resume(participant);
    if (participant->overload_from_ns != 0)
        ipcmark_overload(participant, false);
    participant->stopping = true;
    return ipcmark_request(participant, "stop", NULL, 0);
}

static void end_stop(ipcmark_participant *participant, ipcmark_call *call)
{
    ipcmark_trial *trial = participant->trial;
    double seconds = trial->options.deadline_seconds;
    if (call != NULL)
        ipcmark_await(call);
    if (call != NULL && call->status == IPCMARK_REFUSED)
        participant_garbled(participant, "it refuses to stop", call->text);
    if (call != NULL && call->status == IPCMARK_DONE && trial->session->signal == 0 &&
        !participant_await_end(participant, seconds))
        trial_trouble(trial, IPCMARK_HUNG, participant, "%s answered \"stop\" but is still there after %.1f s",
                      participant->name, seconds * trial->session->scale);
    if (!participant->ended && participant->spawned) {
        participant->exit_expected = true;
        participant->kill_from_ns = ipcmark_now_ns();
        participant_signal(participant, SIGKILL);
        participant_await_end(participant, seconds);
    }
}

static void add_leftover(ipcmark_trial *trial, const char *text)
{
    char *longer = NULL;
    if (asprintf(&longer, "%s%s\n", trial->leftovers == NULL ? "" : trial->leftovers, text) < 0)
        return;
    free(trial->leftovers);
    trial->leftovers = longer;
}

/* What was found of one sort. */
struct finds {
    ipcmark_trial *trial;
    const char *directory; /* relative to the trial's; of what lies in none: NULL */
    const char *first;
    int count;
};

static void found(void *context, const char *text)
{
    struct finds *finds = context;
    if (finds->directory != NULL)
        text = trial_note(finds->trial, "%s/%s", finds->directory, text);
    if (finds->count++ == 0)
        finds->first = trial_note(finds->trial, "%s", text);
    add_leftover(finds->trial, text);
}

/* What the dead leave may wait for the next of their kind to clear it away; of the others nothing may be left. */
static int judge(const struct finds *finds, const char *what)
{
    if (finds->count > 0 && !finds->trial->deaths_excused && ipcmark_trial_troubles(finds->trial) == 0)
        trial_trouble(finds->trial, IPCMARK_LEFTOVER, NULL, "%d %s, the first being %s", finds->count, what,
                      finds->first);
    return finds->count;
}

static int count_files(ipcmark_trial *trial)
{
    struct finds finds = {.trial = trial};
    for (unsigned i = 0; i <= trial->directory_count; ++i) {
        finds.directory = i == 0 ? "files" : trial_note(trial, "files%u", i);
        tree_list(trial_note(trial, "%s/%s", trial->directory, finds.directory), found, &finds);
    }
    return judge(&finds, "files are left");
}

static int count_names(ipcmark_trial *trial)
{
    struct finds finds = {.trial = trial};
    names_left(trial, found, &finds);
    return judge(&finds, "things are left outside of the directory");
}

static void name_process(void *context, pid_t pid, const char *name)
{
    trial_trouble(context, IPCMARK_LEFTOVER, NULL, "a participant left a process behind: %d (%s)", (int)pid, name);
}

/* Of each that ended they were looked for already, but for those who hid. The killed could not end what they started.
 */
static int count_processes(ipcmark_trial *trial)
{
    const struct family *family = &trial->session->family;
    int count = 0;
    processes_of_nobody(family, trial->deaths_excused ? NULL : name_process, trial);
    processes_kill_of_nobody(family);
    for (size_t i = 0; i < trial->trouble_count; ++i)
        if (trial->troubles[i].class_ == IPCMARK_LEFTOVER) {
            add_leftover(trial, trial->troubles[i].text);
            ++count;
        }
    return count;
}

static void found_last(void *context, const char *text)
{
    snprintf(context, PATH_MAX, "%s", text);
}

int ipcmark_trial_names(ipcmark_trial *trial, char *last)
{
    last[0] = '\0';
    return names_left(trial, found_last, last);
}

int ipcmark_trial_stop(ipcmark_trial *trial)
{
    if (trial->stopped)
        return 0;
    trial->stopped = true;
    ipcmark_call **calls = trial_note_bytes(trial, (trial->participant_count + 1) * sizeof(ipcmark_call *));
    if (calls == NULL)
        return session_fail(trial->session, -ENOMEM, "out of memory");
    /* All at once, but the broker last: the others need it to say goodbye. */
    size_t i = 0;
    for (ipcmark_participant *each = trial->participants; each != NULL; each = each->next, ++i)
        if (strcmp(each->name, "broker") != 0)
            calls[i] = begin_stop(each);
    i = 0;
    for (ipcmark_participant *each = trial->participants; each != NULL; each = each->next, ++i)
        if (strcmp(each->name, "broker") != 0)
            end_stop(each, calls[i]);
    for (ipcmark_participant *each = trial->participants; each != NULL; each = each->next)
        if (strcmp(each->name, "broker") == 0)
            end_stop(each, begin_stop(each));
    int count = count_processes(trial) + count_files(trial) + count_names(trial);
    ipcmark_history_log_end(trial->history);
    return count;
}

const char *ipcmark_trial_leftovers(const ipcmark_trial *trial)
{
    return trial->leftovers == NULL ? "" : trial->leftovers;
}
