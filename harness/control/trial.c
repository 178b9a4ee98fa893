/* The trial: its directory, its notes and troubles, its end. */
#include "internal.h"

#include "names.h"
#include "tree.h"

#include "ipcmark/runfile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void *trial_note_bytes(ipcmark_trial *trial, size_t size)
{
    struct note *note = calloc(1, sizeof *note + size);
    if (note == NULL)
        return NULL;
    note->next = trial->notes;
    trial->notes = note;
    return note->text;
}

const char *trial_note(ipcmark_trial *trial, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = NULL;
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    char *note = length < 0 ? NULL : trial_note_bytes(trial, (size_t)length + 1);
    if (note != NULL)
        memcpy(note, text, (size_t)length + 1);
    if (length >= 0)
        free(text);
    return note == NULL ? "out of memory" : note;
}

const char *const *trial_note_list(ipcmark_trial *trial, const char *const *list)
{
    size_t count = 0;
    while (list != NULL && list[count] != NULL)
        ++count;
    const char **copy = trial_note_bytes(trial, (count + 1) * sizeof *copy);
    for (size_t i = 0; copy != NULL && i < count; ++i)
        copy[i] = trial_note(trial, "%s", list[i]);
    return copy;
}

void trial_trouble(ipcmark_trial *trial, enum ipcmark_class class_, const ipcmark_participant *participant,
                   const char *format, ...)
{
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (trial->trouble_count == trial->trouble_capacity) {
        size_t capacity = 2 * trial->trouble_capacity + 8;
        ipcmark_trouble *grown = realloc(trial->troubles, capacity * sizeof *grown);
        if (grown == NULL)
            return;
        trial->troubles = grown;
        trial->trouble_capacity = capacity;
    }
    trial->troubles[trial->trouble_count++] = (ipcmark_trouble){
        .class_ = class_, .participant = participant, .text = trial_note(trial, "%s", text), .at_ns = ipcmark_now_ns()};
    ipcmark_trial_observe(trial, class_, IPCMARK_PROOF_OF_CLASS, text);
}

size_t ipcmark_trial_troubles(const ipcmark_trial *trial)
{
    return trial->trouble_count;
}

const ipcmark_trouble *ipcmark_trial_trouble(const ipcmark_trial *trial, size_t index)
{
    return index < trial->trouble_count ? &trial->troubles[index] : NULL;
}

int ipcmark_trial_observe(ipcmark_trial *trial, enum ipcmark_class class_, enum ipcmark_proof proof, const char *text)
{
    struct ipcmark_observation observation = {
        .class_ = class_, .time_ns = ipcmark_now_ns(), .text = text, .proof = proof};
    return ipcmark_history_log_observation(trial->history, &observation);
}

int ipcmark_trial_expect(ipcmark_trial *trial, const struct ipcmark_expectation *expectation)
{
    uint64_t capabilities = trial->expectation.capabilities;
    trial->expectation = expectation == NULL ? (struct ipcmark_expectation){0} : *expectation;
    trial->expectation.run = trial->name;
    trial->expectation.capabilities = capabilities;
    if (trial->expectation.ready == 0)
        trial->expectation.ready = capabilities & IPCMARK_CAP_PEER_EVENTS ? IPCMARK_READY_NAME
                                   : capabilities & IPCMARK_CAP_PEERS     ? IPCMARK_READY_COUNT
                                                                          : IPCMARK_READY_PROBE;
    return ipcmark_history_log_expectation(trial->history, &trial->expectation);
}

#define MAKE_ROOM "; is there room? TMPDIR names another place"

static int make_directories(ipcmark_trial *trial)
{
    ipcmark_session *session = trial->session;
    snprintf(trial->directory, sizeof trial->directory, "%s/%u", session->watchdog.directory, ++session->trials);
    snprintf(trial->files, sizeof trial->files, "%.*s/files", PATH_MAX - 8, trial->directory);
    if (mkdir(trial->directory, 0700) < 0 || mkdir(trial->files, 0700) < 0)
        return session_fail(session, -errno, "cannot make %s: %s" MAKE_ROOM, trial->directory, strerror(errno));
    int error = ipcmark_history_log_open(&trial->history, trial->directory);
    return error == 0 ? 0
                      : session_fail(session, error, "cannot write %s/history.jsonl: %s" MAKE_ROOM, trial->directory,
                                     strerror(-error));
}

/* For who looks at a participant with a debugger, or in slow motion. What is no time is refused: who believes to have a
 * minute, and has ten seconds, sees things hang that do not. */
static int usual_deadline(ipcmark_session *session, double *out)
{
    const char *text = getenv("IPCMARK_DEADLINE");
    char *end;
    *out = 10;
    if (text == NULL || text[0] == '\0')
        return 0;
    double seconds = strtod(text, &end);
    if (end == text || *end != '\0' || !(seconds > 0 && seconds <= 86400)) /* so that what is not a number is refused */
        return session_fail(session, -EINVAL,
                            "IPCMARK_DEADLINE is '%s': it is the seconds that an answer may take, above 0 and at most "
                            "86400, like IPCMARK_DEADLINE=60",
                            text);
    *out = seconds;
    return 0;
}

static void keep_options(ipcmark_trial *trial, const ipcmark_trial_options *options, double usual)
{
    ipcmark_trial_options *own = &trial->options;
    *own = *options;
    own->name = trial_note(trial, "%s", options->name == NULL ? "trial" : options->name);
    own->ping_interval_ms = options->ping_interval_ms == 0 ? 100 : options->ping_interval_ms;
    own->max_message_bytes = options->max_message_bytes == 0 ? 65536 : options->max_message_bytes;
    own->deadline_seconds = options->deadline_seconds <= 0 ? usual : options->deadline_seconds;
    if (options->target.wrap != NULL)
        own->target.wrap = trial_note(trial, "%s", options->target.wrap);
    if (options->target.agent != NULL)
        own->target.agent = trial_note(trial, "%s", options->target.agent);
}

int ipcmark_trial_open(ipcmark_trial **out, ipcmark_session *session, const ipcmark_trial_options *options)
{
    double usual;
    int error = session_check_guard(session);
    if (error == 0)
        error = usual_deadline(session, &usual);
    if (error < 0)
        return error;
    ipcmark_trial *trial = calloc(1, sizeof *trial);
    if (trial == NULL)
        return session_fail(session, -ENOMEM, "out of memory");
    trial->session = session;
    keep_options(trial, options, usual);
    ipcmark_run_id(trial->name);
    error = uv_timer_init(&session->loop, &trial->timer);
    if (error == 0) {
        trial->timer.data = trial;
        trial->open_handles = 1;
        error = target_parse(trial);
    }
    if (error == 0)
        error = make_directories(trial);
    if (error == 0 && (error = names_open(trial)) < 0)
        session_fail(session, error, "out of memory");
    if (error == 0)
        *out = trial;
    else
        ipcmark_trial_close(trial, NULL);
    return error;
}

void trial_handle_closed(uv_handle_t *handle)
{
    ipcmark_trial *trial = handle->data;
    --trial->open_handles;
}

static void close_handles(ipcmark_trial *trial)
{
    for (ipcmark_participant *participant = trial->participants; participant != NULL; participant = participant->next)
        participant_close(participant);
    for (struct call *call = trial->calls; call != NULL; call = call->next)
        if (call->timer.data != NULL)
            uv_close((uv_handle_t *)&call->timer, trial_handle_closed);
    if (trial->timer.data != NULL)
        uv_close((uv_handle_t *)&trial->timer, trial_handle_closed);
    while (trial->open_handles > 0)
        session_turn(trial->session);
}

static void free_all(ipcmark_trial *trial)
{
    for (ipcmark_participant *next, *participant = trial->participants; participant != NULL; participant = next) {
        next = participant->next;
        participant_free(participant);
    }
    for (struct call *next, *call = trial->calls; call != NULL; call = next) {
        next = call->next;
        cJSON_Delete(call->line);
        free(call);
    }
    for (struct endpoint *next, *endpoint = trial->endpoints; endpoint != NULL; endpoint = next) {
        next = endpoint->next;
        free(endpoint);
    }
    for (struct note *next, *note = trial->notes; note != NULL; note = next) {
        next = note->next;
        free(note);
    }
    free(trial->troubles);
    free(trial->leftovers);
    free(trial);
}

int ipcmark_trial_close(ipcmark_trial *trial, const char *keep)
{
    int error = 0;
    if (trial == NULL)
        return 0;
    for (ipcmark_participant *participant = trial->participants; participant != NULL; participant = participant->next) {
        participant->exit_expected = true;
        participant_signal(participant, SIGKILL);
        participant_await_end(participant, trial->options.deadline_seconds);
    }
    names_close(trial);
    close_handles(trial);
    ipcmark_history_log_close(trial->history);
    rmdir(trial_note(trial, "%s/work", trial->directory)); /* but for what participants left there */
    if (trial->directory[0] != '\0') {
        error = keep == NULL ? tree_remove(trial->directory) : tree_move(trial->directory, keep);
        if (error < 0)
            session_fail(trial->session, error, "cannot %s %s: %s", keep == NULL ? "remove" : "move to",
                         keep == NULL ? trial->directory : keep, strerror(-error));
    }
    free_all(trial);
    return error;
}

int ipcmark_trial_processes(const ipcmark_trial *trial, void (*found)(void *context, pid_t pid, const char *name),
                            void *context)
{
    int count = 0;
    for (const ipcmark_participant *each = trial->participants; each != NULL; each = each->next) {
        const int more =
            ipcmark_participant_alive(each) ? processes_of(&trial->session->family, each->pid, found, context) : 0;
        if (more < 0)
            return more;
        count += more;
    }
    return count;
}

double ipcmark_trial_deadline(const ipcmark_trial *trial)
{
    return trial->options.deadline_seconds;
}

const char *ipcmark_trial_directory(const ipcmark_trial *trial)
{
    return trial->directory;
}

const char *ipcmark_trial_files(const ipcmark_trial *trial)
{
    return trial->files;
}

const ipcmark_target *ipcmark_trial_target(const ipcmark_trial *trial)
{
    return &trial->options.target;
}

const char *ipcmark_trial_name(const ipcmark_trial *trial)
{
    return trial->name;
}

/* The folders above are to be passed through, and not to be listed. */
int ipcmark_trial_admit(ipcmark_trial *trial, unsigned user)
{
    int error = 0;
    if (chmod(trial->session->watchdog.directory, 0711) < 0 || chmod(trial->directory, 0711) < 0 ||
        chown(trial_note(trial, "%s/journals", trial->directory), user, user) < 0 ||
        chown(trial->files, user, user) < 0)
        error = -errno;
    for (unsigned i = 1; error == 0 && i <= trial->directory_count; ++i)
        if (chown(trial_note(trial, "%s/files%u", trial->directory, i), user, user) < 0)
            error = -errno;
    if (error < 0)
        return session_fail(trial->session, error, "cannot hand %s to user %u: %s", trial->directory, user,
                            strerror(-error));
    trial->user = user;
    return 0;
}

const char *ipcmark_trial_new_directory(ipcmark_trial *trial)
{
    const char *path = trial_note(trial, "%s/files%u", trial->directory, ++trial->directory_count);
    if (mkdir(path, 0700) == 0 && (trial->user == 0 || chown(path, trial->user, trial->user) == 0))
        return path;
    session_fail(trial->session, -errno, "cannot make %s: %s", path, strerror(errno));
    return NULL;
}

static void on_wait_over(uv_timer_t *timer)
{
    const ipcmark_trial *trial = timer->data;
    session_poke(trial->session);
    uv_timer_stop(timer);
}

bool ipcmark_wait(ipcmark_trial *trial, unsigned milliseconds)
{
    uv_update_time(&trial->session->loop);
    uv_timer_start(&trial->timer, on_wait_over, milliseconds, 0);
    while (uv_is_active((uv_handle_t *)&trial->timer) && trial->session->signal == 0)
        session_turn(trial->session);
    uv_timer_stop(&trial->timer);
    return trial->session->signal == 0;
}
