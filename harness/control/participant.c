/* Participants: one process each, from its start until all that it said has been taken in. */
#include "internal.h"

#include "processes.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void participant_signal(ipcmark_participant *participant, int number)
{
    if (participant->spawned && !participant->exited)
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
    return trial_note(participant->trial, "; its stderr ends: %.*s", (int)got, tail);
}

void participant_garbled(ipcmark_participant *participant, const char *why, const char *line)
{
    if (participant->garbled)
        return;
    participant->garbled = participant->exit_expected = true;
    size_t length = line == NULL ? 0 : strlen(line);
    const char *text = trial_note(participant->trial, "%s broke the protocol: %s%s%.300s%s", participant->name, why,
                                  length == 0 ? "" : ": ", length == 0 ? "" : line, length > 300 ? "…" : "");
    participant_signal(participant, SIGKILL);
    trial_trouble(participant->trial, IPCMARK_CLASS_NONE, participant, "%s", text);
    call_end_all(participant, IPCMARK_GARBLED, text);
}

static const char *describe_exit(ipcmark_participant *participant)
{
    int status = participant->status;
    const char *tail = participant_stderr_tail(participant);
    if (WIFSIGNALED(status))
        return trial_note(participant->trial, "%s was killed by signal %d (%s)%s", participant->name, WTERMSIG(status),
                          strsignal(WTERMSIG(status)), tail);
    return trial_note(participant->trial, "%s exited with status %d%s", participant->name, WEXITSTATUS(status), tail);
}

static void log_kill(ipcmark_participant *participant)
{
    struct ipcmark_fault fault = {.kind = IPCMARK_FAULT_KILL,
                                  .process = participant->number,
                                  .from_ns = participant->kill_from_ns,
                                  .until_ns = ipcmark_now_ns()};
    ipcmark_history_log_fault(participant->trial->history, &fault);
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
    const char *text = describe_exit(participant);
    bool clean = participant->stopping && participant->status == 0;
    if (!clean)
        log_kill(participant);
    if (!clean && is_excused(participant))
        participant->trial->deaths_excused = true;
    else if (!clean)
        trial_trouble(participant->trial, IPCMARK_CRASHED, participant, "%s", text);
    call_end_all(participant, IPCMARK_GONE, text);
    release(participant);
}

static void on_grace_over(uv_timer_t *timer)
{
    ipcmark_participant *participant = (ipcmark_participant *)((char *)timer - offsetof(ipcmark_participant, grace));
    session_poke(participant->trial->session);
    end(participant);
}

static void name_process(void *context, pid_t pid, const char *name)
{
    ipcmark_participant *participant = context;
    trial_trouble(participant->trial, IPCMARK_LEFTOVER, NULL, "%s left a process behind: %d (%s)", participant->name,
                  (int)pid, name);
}

static void on_exit_of(uv_process_t *process, int64_t exit_status, int term_signal)
{
    ipcmark_participant *participant =
        (ipcmark_participant *)((char *)process - offsetof(ipcmark_participant, process));
    ipcmark_trial *trial = participant->trial;
    participant->exited = true;
    participant->status = term_signal != 0 ? term_signal : (int)(exit_status & 0xff) << 8;
    /* Killed ones take their children along a moment later; one that ended of itself must have none left. */
    if (term_signal == 0)
        processes_of_session(participant->pid, name_process, participant);
    processes_kill_session(participant->pid);
    watchdog_forget(&trial->session->watchdog, participant->pid);
    if (participant->output_ended)
        end(participant);
    else
        uv_timer_start(&participant->grace, on_grace_over, (uint64_t)(GRACE_MS * trial->session->scale), 0);
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
    participant->in.data = participant->out.data = participant->err.data = participant->grace.data =
        participant->process.data = participant->trial;
    participant->trial->open_handles += 4;
    return 0;
}

static int spawn(ipcmark_participant *participant, const char *cpus)
{
    ipcmark_trial *trial = participant->trial;
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&participant->in},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&participant->out},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&participant->err},
    };
    uv_process_options_t options = {.exit_cb = on_exit_of, .stdio = stdio, .stdio_count = 3};
    int error = target_command(trial, cpus, &options.args);
    if (error < 0)
        return error;
    options.file = options.args[0];
    /* A session of its own: Ctrl-C in the terminal is the coordinator's to handle, and whatever a participant starts
     * can be found. */
    options.flags = UV_PROCESS_DETACHED;
    participant->kill_from_ns = ipcmark_now_ns();
    error = uv_spawn(&trial->session->loop, &participant->process, &options);
    ++trial->open_handles; /* uv_spawn has made the handle, even if it failed */
    participant->spawned = true;
    if (error < 0) {
        participant->exited = participant->ended = true;
        return session_fail(trial->session, error, "cannot start %s: %s", options.file, uv_strerror(error));
    }
    participant->pid = participant->process.pid;
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
    ipcmark_participant *participant = new_participant(trial, options == NULL ? &defaults : options);
    if (participant == NULL) {
        session_fail(trial->session, -ENOMEM, "out of memory");
        return NULL;
    }
    int error = open_handles(participant);
    if (error < 0)
        session_fail(trial->session, error, "cannot make pipes: %s", uv_strerror(error));
    else
        error = spawn(participant, options == NULL ? NULL : options->cpus);
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
    if (participant->spawned)
        close_handle((uv_handle_t *)&participant->process);
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

bool ipcmark_participant_alive(const ipcmark_participant *participant)
{
    return participant->spawned && !participant->exited;
}
