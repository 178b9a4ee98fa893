/* Participants: one process each, from its start until all that it said has been taken in. */
#include "internal.h"

#include "core.h"
#include "launch.h"
#include "names.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void participant_signal(ipcmark_participant *participant, int number)
{
    if (!participant->spawned || participant->exited)
        return;
    if (number == SIGKILL)
        names_look(participant->trial); /* the last chance to see what it holds */
    kill(-participant->pid, number);
}

const char *participant_stderr_tail(ipcmark_participant *participant)
{
    char tail[512];
    if (participant->stderr_file == NULL || participant->stderr_bytes == 0)
        return "";
    fflush(participant->stderr_file);
    size_t size = participant->stderr_bytes < sizeof tail - 1 ? participant->stderr_bytes : sizeof tail - 1;
    ssize_t got = pread(fileno(participant->stderr_file), tail, size, (off_t)(participant->stderr_bytes - size));
    if (got <= 0)
        return "";
    while (got > 0 && tail[got - 1] == '\n')
        --got;
    tail[got] = '\0';
    line_make_printable(tail);
    return trial_note(participant->trial, "; its stderr ends: %s", tail);
}

void participant_garbled(ipcmark_participant *participant, const char *why, const char *line)
{
    if (participant->garbled)
        return;
    participant->garbled = participant->exit_expected = true;
    char shown[1000];
    bool whole = snprintf(shown, sizeof shown, "%s", line == NULL ? "" : line) < (int)sizeof shown;
    line_make_printable(shown);
    const char *text = trial_note(participant->trial, "%s broke the protocol: %s%s%s%s", participant->name, why,
                                  shown[0] == '\0' ? "" : ": ", shown, whole ? "" : "…");
    participant_signal(participant, SIGKILL);
    trial_trouble(participant->trial, IPCMARK_CLASS_NONE, participant, "%s", text);
    call_end_all(participant, IPCMARK_GARBLED, text);
}

/* What it said to its standard error before it exited is in the pipe by now, though perhaps not taken in. */
static void take_last_words(ipcmark_participant *participant)
{
    char words[4096];
    uv_os_fd_t pipe;
    ssize_t size;
    if (participant->stderr_file == NULL || participant->stderr_ended ||
        uv_fileno((uv_handle_t *)&participant->err, &pipe) < 0)
        return;
    while (participant->stderr_bytes < MAX_STDERR_BYTES && (size = read(pipe, words, sizeof words)) > 0)
        participant->stderr_bytes += fwrite(words, 1, (size_t)size, participant->stderr_file);
}

static const char *describe_exit(ipcmark_participant *participant)
{
    int status = participant->status;
    const char *tail = participant_stderr_tail(participant);
    if (WIFSIGNALED(status))
        return trial_note(participant->trial, "%s was killed by signal %d (%s)%s%s", participant->name,
                          WTERMSIG(status), strsignal(WTERMSIG(status)), core_text(participant), tail);
    return trial_note(participant->trial, "%s exited with status %d%s", participant->name, WEXITSTATUS(status), tail);
}

/* 128 + 9 is what a shell in front of it, that did not exec, makes of SIGKILL. */
static bool is_killed(int status)
{
    return WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 128 + SIGKILL;
}

/* One that was to be killed, and crashed before, is not excused. */
static bool is_excused(const ipcmark_participant *participant)
{
    bool kill_declared = participant->kill_sent || participant->suicides > 0;
    return participant->exit_expected || (kill_declared && is_killed(participant->status));
}

static void close_handle(uv_handle_t *handle)
{
    if (handle->data != NULL && !uv_is_closing(handle))
        uv_close(handle, trial_handle_closed);
}

/* What one that has ended needs no more: trials that go on for an hour start many. */
static void release(ipcmark_participant *participant)
{
    if (!participant->ended)
        return;
    close_handle((uv_handle_t *)&participant->in);
    close_handle((uv_handle_t *)&participant->out);
    if (!participant->stderr_ended || participant->stderr_file == NULL)
        return;
    close_handle((uv_handle_t *)&participant->err);
    fclose(participant->stderr_file);
    participant->stderr_file = NULL;
}

/* It has exited, and its last word has been read. */
static void end(ipcmark_participant *participant)
{
    if (participant->ended)
        return;
    participant->ended = true;
    uv_timer_stop(&participant->grace);
    take_last_words(participant);
    const char *text = describe_exit(participant);
    bool clean = participant->stopping && participant->status == 0;
    if (!clean)
        participant_log_death(participant);
    if (!clean && is_excused(participant))
        participant->trial->deaths_excused = true;
    else if (!clean)
        trial_trouble(participant->trial, IPCMARK_CRASHED, participant, "%s", text);
    call_end_all(participant, IPCMARK_GONE, text);
    core_tidy(participant);
    release(participant);
}

static void on_grace_over(uv_timer_t *timer)
{
    ipcmark_participant *participant = (ipcmark_participant *)((char *)timer - offsetof(ipcmark_participant, grace));
    session_poke(participant->trial->session);
    if (participant->exited)
        end(participant);
    else if (!participant->stopping) /* then the wait for its exit has a deadline */
        participant_garbled(participant, "it closed its standard output, and did not end", NULL);
}

void participant_exited(ipcmark_participant *participant)
{
    if (participant->output_ended)
        end(participant);
    else
        uv_timer_start(&participant->grace, on_grace_over, (uint64_t)(GRACE_MS * participant->trial->session->scale),
                       0);
}

static void allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    (void)handle, (void)suggested;
    static char buffer[65536]; /* one thread, and each read is taken in before the next */
    *out = uv_buf_init(buffer, sizeof buffer);
}

static void on_output(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    ipcmark_participant *participant = (ipcmark_participant *)((char *)stream - offsetof(ipcmark_participant, out));
    if (size > 0) {
        output_take(participant, buffer->base, (size_t)size);
    } else if (size < 0) {
        uv_read_stop(stream);
        participant->output_ended = true;
        if (participant->exited)
            end(participant);
        else if (!participant->dead)
            uv_timer_start(&participant->grace, on_grace_over,
                           (uint64_t)(LAST_WORD_MS * participant->trial->session->scale), 0);
    }
}

static void on_stderr(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    ipcmark_participant *participant = (ipcmark_participant *)((char *)stream - offsetof(ipcmark_participant, err));
    if (size < 0) {
        uv_read_stop(stream);
        participant->stderr_ended = true;
        release(participant);
    }
    if (size > 0 && (participant->stderr_said += (size_t)size) > MAX_STDERR_FLOOD)
        participant_garbled(participant, "it floods us on its standard error", NULL);
    if (size <= 0 || participant->stderr_file == NULL || participant->stderr_bytes >= MAX_STDERR_BYTES)
        return;
    participant->stderr_bytes += fwrite(buffer->base, 1, (size_t)size, participant->stderr_file);
}

struct write {
    uv_write_t request;
    char *text;
};

static void on_written(uv_write_t *request, int status)
{
    (void)status; /* a participant that cannot be written to does not answer either */
    struct write *write = (struct write *)request;
    free(write->text);
    free(write);
}

int participant_send(ipcmark_participant *participant, const cJSON *line)
{
    names_look(participant->trial); /* before it lets go of them */
    struct write *write = calloc(1, sizeof *write);
    char *text = cJSON_PrintUnformatted(line);
    if (write == NULL || text == NULL) {
        free(write);
        free(text);
        return -ENOMEM;
    }
    size_t length = strlen(text);
    text[length] = '\n'; /* in place of the NUL: only the length counts from here */
    write->text = text;
    uv_buf_t buffer = uv_buf_init(text, (unsigned)length + 1);
    int error = uv_write(&write->request, (uv_stream_t *)&participant->in, &buffer, 1, on_written);
    if (error < 0)
        on_written(&write->request, error);
    return error;
}

static int open_handles(ipcmark_participant *participant)
{
    uv_loop_t *loop = &participant->trial->session->loop;
    int error;
    if ((error = uv_pipe_init(loop, &participant->in, 0)) < 0 ||
        (error = uv_pipe_init(loop, &participant->out, 0)) < 0 ||
        (error = uv_pipe_init(loop, &participant->err, 0)) < 0 ||
        (error = uv_timer_init(loop, &participant->grace)) < 0)
        return error;
    participant->in.data = participant->out.data = participant->err.data = participant->grace.data = participant->trial;
    participant->trial->open_handles += 4;
    return 0;
}

static int watch(ipcmark_participant *participant, const struct launched *launched)
{
    const struct {
        uv_pipe_t *pipe;
        int fd;
    } streams[] = {
        {&participant->in, launched->in}, {&participant->out, launched->out}, {&participant->err, launched->err}};
    int error = 0;
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; ++i) {
        int opened = uv_pipe_open(streams[i].pipe, streams[i].fd);
        if (opened < 0) {
            close(streams[i].fd);
            error = opened;
        }
    }
    int watched = exit_watch(participant);
    return watched < 0 ? watched : error;
}

static int spawn(ipcmark_participant *participant, const ipcmark_participant_options *options)
{
    ipcmark_trial *trial = participant->trial;
    struct launched launched;
    char **arguments;
    participant->folder = core_folder(participant);
    int error = target_command(trial, options, participant->folder, &arguments);
    if (error < 0)
        return error;
    participant->kill_from_ns = ipcmark_now_ns();
    error = launch(arguments, &launched);
    if (error < 0)
        return session_fail(trial->session, error, "cannot start %s: %s", arguments[0], strerror(-error));
    participant->pid = launched.pid;
    participant->exit_fd = launched.exit_fd;
    participant->spawned = true;
    error = watch(participant, &launched);
    if (error == 0)
        error = family_add(&trial->session->family, participant->pid);
    if (error < 0)
        return session_fail(trial->session, error, "cannot watch %s: %s", participant->name, uv_strerror(error));
    watchdog_watch(&trial->session->watchdog, participant->pid);
    uv_read_start((uv_stream_t *)&participant->out, allocate, on_output);
    uv_read_start((uv_stream_t *)&participant->err, allocate, on_stderr);
    struct ipcmark_process process = {.number = participant->number, .pid = participant->pid};
    return ipcmark_history_log_process(trial->history, &process);
}

static ipcmark_participant *new_participant(ipcmark_trial *trial, const ipcmark_participant_options *options)
{
    ipcmark_participant *participant = calloc(1, sizeof *participant);
    if (participant == NULL)
        return NULL;
    participant->trial = trial;
    participant->number = ++trial->participant_count;
    participant->name = options->name != NULL ? trial_note(trial, "%s", options->name)
                                              : trial_note(trial, "p%u", trial->participant_count);
    participant->params = trial_note_list(trial, options->params);
    participant->journal = trial->options.no_journal == options->flip_journal;
    participant->stderr_file =
        fopen(trial_note(trial, "%s/%u-%s.stderr", trial->directory, participant->number, participant->name), "w+e");
    /* In the order of their start. */
    ipcmark_participant **end_of_list = &trial->participants;
    while (*end_of_list != NULL)
        end_of_list = &(*end_of_list)->next;
    *end_of_list = participant;
    return participant;
}

ipcmark_participant *ipcmark_participant_start(ipcmark_trial *trial, const ipcmark_participant_options *options)
{
    static const ipcmark_participant_options defaults;
    const ipcmark_participant_options *const how = options == NULL ? &defaults : options;
    ipcmark_participant *participant = new_participant(trial, how);
    if (participant == NULL) {
        session_fail(trial->session, -ENOMEM, "out of memory");
        return NULL;
    }
    int error = open_handles(participant);
    if (error < 0)
        session_fail(trial->session, error, "cannot make pipes: %s", uv_strerror(error));
    else
        error = spawn(participant, how);
    if (error == 0)
        error = hello_say(participant);
    if (error == 0)
        error = broker_ensure(participant);
    return error < 0 ? NULL : participant;
}

static void on_await_over(uv_timer_t *timer)
{
    const ipcmark_trial *trial = timer->data;
    session_poke(trial->session);
    uv_timer_stop(timer);
}

bool participant_await_end(ipcmark_participant *participant, double seconds)
{
    ipcmark_trial *trial = participant->trial;
    if (!participant->spawned || participant->ended)
        return true;
    uv_update_time(&trial->session->loop);
    uv_timer_start(&trial->timer, on_await_over, (uint64_t)(seconds * trial->session->scale * 1e3), 0);
    while (!participant->ended && uv_is_active((uv_handle_t *)&trial->timer))
        session_turn(trial->session);
    uv_timer_stop(&trial->timer);
    return participant->ended;
}

void participant_close(ipcmark_participant *participant)
{
    close_handle((uv_handle_t *)&participant->in);
    close_handle((uv_handle_t *)&participant->out);
    close_handle((uv_handle_t *)&participant->err);
    close_handle((uv_handle_t *)&participant->grace);
    exit_unwatch(participant);
}

void participant_free(ipcmark_participant *participant)
{
    if (participant->stderr_file != NULL)
        fclose(participant->stderr_file);
    line_free(&participant->lines);
    free(participant);
}

const char *ipcmark_participant_name(const ipcmark_participant *participant)
{
    return participant->name;
}

const ipcmark_implementation *ipcmark_participant_implementation(const ipcmark_participant *participant)
{
    return &participant->implementation;
}

int ipcmark_participant_pid(const ipcmark_participant *participant)
{
    return participant->pid;
}

uint32_t ipcmark_participant_number(const ipcmark_participant *participant)
{
    return participant->number;
}

bool ipcmark_participant_alive(const ipcmark_participant *participant)
{
    return participant->spawned && !participant->exited;
}

bool ipcmark_participant_ended(const ipcmark_participant *participant)
{
    siginfo_t info = {0};
    return participant->exited || participant->dead ||
           (participant->spawned &&
            (waitid(P_PID, (id_t)participant->pid, &info, WEXITED | WNOWAIT | WNOHANG) < 0 || info.si_pid != 0));
}
