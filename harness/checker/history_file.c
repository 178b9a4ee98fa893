/* Histories on disk: a line a fact, and a folder of journals. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "facts.h"

#define PATH_SIZE 4096

struct ipcmark_history_log {
    int descriptor;
    int error;    /* the first: what comes after it would be read without what is missing */
    size_t first; /* bytes of the first line */
};

static int path_join(char path[PATH_SIZE], const char *folder, const char *name)
{
    int length = snprintf(path, PATH_SIZE, "%s/%s", folder, name);
    return length < 0 || length >= PATH_SIZE ? -ENAMETOOLONG : 0;
}

/* In place of the first line, which needs no room: that what was to follow is not all there. Were nothing said, a run
 * that nobody could write down would look like one that was cut off, or hide what it did wrong. */
static void failure_log(const struct ipcmark_history_log *log)
{
    char text[64], line[64];
    snprintf(text, sizeof text, "{\"fact\":\"history\",\"errno\":%d}", -log->error);
    if (log->first >= sizeof line || (size_t)snprintf(line, sizeof line, "%-*s", (int)log->first, text) != log->first)
        return;
    line[log->first - 1] = '\n';
    if (pwrite(log->descriptor, line, log->first, 0) < 0)
        return; /* the end will be missing, and the verdict be unknown */
}

static int line_log(const struct ipcmark_history_log *log, char *line, size_t length)
{
    ssize_t written;
    line[length] = '\n'; /* in place of the NUL: the length is known */
    written = write(log->descriptor, line, length + 1);
    if (written < 0)
        return -errno;
    return (size_t)written == length + 1 ? 0 : -ENOSPC;
}

static int fact_log(struct ipcmark_history_log *log, enum fact fact, const void *object)
{
    cJSON *json = log->error == 0 ? fact_to_json(fact, object) : NULL;
    char *line = json == NULL ? NULL : cJSON_PrintUnformatted(json);
    const size_t length = line == NULL ? 0 : strlen(line);
    if (log->error == 0) {
        log->error = line == NULL ? -ENOMEM : line_log(log, line, length);
        if (log->first == 0)
            log->first = length + 1;
        else if (log->error < 0)
            failure_log(log);
    }
    cJSON_free(line);
    cJSON_Delete(json);
    return log->error;
}

int ipcmark_history_log_open(struct ipcmark_history_log **out, const char *folder)
{
    struct ipcmark_history_log *log;
    char path[PATH_SIZE];
    int error = path_join(path, folder, "journals");
    if (error < 0)
        return error;
    if (mkdir(path, 0777) < 0 && errno != EEXIST)
        return -errno;
    path_join(path, folder, "history.jsonl");
    log = calloc(1, sizeof *log);
    if (log == NULL)
        return -ENOMEM;
    log->descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (log->descriptor < 0) {
        error = -errno;
        free(log);
        return error;
    }
    error = fact_log(log, FACT_HISTORY, &(struct fact_history){HISTORY_VERSION});
    if (error < 0)
        ipcmark_history_log_close(log);
    else
        *out = log;
    return error;
}

int ipcmark_history_log_process(struct ipcmark_history_log *log, const struct ipcmark_process *process)
{
    return fact_log(log, FACT_PROCESS, process);
}

int ipcmark_history_log_member(struct ipcmark_history_log *log, const struct ipcmark_member *member)
{
    return fact_log(log, FACT_MEMBER, member);
}

int ipcmark_history_log_fault(struct ipcmark_history_log *log, const struct ipcmark_fault *fault)
{
    return fact_log(log, FACT_FAULT, fault);
}

int ipcmark_history_log_drain(struct ipcmark_history_log *log, const struct ipcmark_drain *drain)
{
    return fact_log(log, FACT_DRAIN, drain);
}

int ipcmark_history_log_observation(struct ipcmark_history_log *log, const struct ipcmark_observation *observation)
{
    return fact_log(log, FACT_OBSERVATION, observation);
}

int ipcmark_history_log_expectation(struct ipcmark_history_log *log, const struct ipcmark_expectation *expectation)
{
    return fact_log(log, FACT_EXPECTATION, expectation);
}

int ipcmark_history_log_end(struct ipcmark_history_log *log)
{
    return fact_log(log, FACT_END, &(struct fact_end){ipcmark_now_ns()});
}

void ipcmark_history_log_close(struct ipcmark_history_log *log)
{
    if (log == NULL)
        return;
    close(log->descriptor);
    free(log);
}

/* Where the reader is, for messages. */
struct reading {
    struct ipcmark_history *history;
    const char *folder;
    char *problem;
    size_t problem_size;
};

static int problem_set(const struct reading *reading, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int problem_set(const struct reading *reading, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reading->problem, reading->problem_size, format, arguments);
    va_end(arguments);
    return -EBADMSG;
}

static int fact_add(struct ipcmark_history *history, enum fact fact, const void *object)
{
    switch (fact) {
    case FACT_PROCESS:
        return ipcmark_history_add_process(history, object);
    case FACT_MEMBER:
        return ipcmark_history_add_member(history, object);
    case FACT_FAULT:
        return ipcmark_history_add_fault(history, object);
    case FACT_DRAIN:
        return ipcmark_history_add_drain(history, object);
    case FACT_OBSERVATION:
        return ipcmark_history_add_observation(history, object);
    case FACT_EXPECTATION:
        return ipcmark_history_set_expectation(history, object);
    case FACT_END:
        history->ended = 1;
        return 0;
    default:
        return 0;
    }
}

/* Before the fields are looked at: those of another version are other ones. version: this line's, or NULL. */
static int version_check(const struct reading *reading, const cJSON *version, size_t number)
{
    const cJSON *failure = cJSON_GetObjectItemCaseSensitive(version, "errno");
    struct fact_history found = {0};
    if (number > 1)
        return version == NULL ? 0 : problem_set(reading, "history.jsonl, line %zu: another history begins", number);
    if (cJSON_IsNumber(failure))
        return problem_set(reading,
                           "%s/history.jsonl could not be written to its end (%s), so that what happened is not known: "
                           "make room where it was recorded, or name another place with TMPDIR, and run it again",
                           reading->folder, strerror(failure->valueint));
    if (version == NULL || fact_from_json(FACT_HISTORY, version, &found) != NULL)
        return problem_set(reading, "history.jsonl does not begin with the version of its format: an older ipcmark "
                                    "wrote it, which can judge it, or it is something else");
    if (found.version == HISTORY_VERSION)
        return 0;
    return problem_set(reading,
                       "history.jsonl is of format version %" PRIu32 ", and this ipcmark reads version %d: judge it "
                       "with the ipcmark that recorded it",
                       found.version, HISTORY_VERSION);
}

static int line_load(const struct reading *reading, const char *line, size_t number)
{
    union {
        struct ipcmark_process process;
        struct ipcmark_member member;
        struct ipcmark_fault fault;
        struct ipcmark_drain drain;
        struct ipcmark_observation observation;
        struct ipcmark_expectation expectation;
        struct fact_history version;
        struct fact_end end;
    } object;
    cJSON *json = cJSON_Parse(line);
    int kind = fact_kind(json), error;
    const char *wrong;
    if (kind < 0) {
        error =
            problem_set(reading, "history.jsonl, line %zu: not an object with a known \"fact\": %.200s", number, line);
        goto out;
    }
    error = version_check(reading, kind == FACT_HISTORY ? json : NULL, number);
    if (error < 0)
        goto out;
    wrong = fact_from_json((enum fact)kind, json, &object);
    if (wrong != NULL)
        error =
            problem_set(reading, "history.jsonl, line %zu: \"%s\" is missing or wrong: %.200s", number, wrong, line);
    else
        error = fact_add(reading->history, (enum fact)kind, &object);
out:
    cJSON_Delete(json);
    return error;
}

/* A regular file: a FIFO by its name must not hang us. NULL: errno. */
static FILE *file_open(const char *path)
{
    struct stat status;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    FILE *file = NULL;
    if (descriptor < 0)
        return NULL;
    if (fstat(descriptor, &status) == 0 && !S_ISREG(status.st_mode))
        errno = EBADF;
    else
        file = fdopen(descriptor, "r");
    if (file == NULL) {
        int error = errno;
        close(descriptor);
        errno = error;
    }
    return file;
}

static int facts_load(const struct reading *reading, const char *folder)
{
    char path[PATH_SIZE], *line = NULL;
    size_t capacity = 0, number = 0;
    ssize_t length;
    FILE *file;
    int error = path_join(path, folder, "history.jsonl");
    if (error < 0)
        return error;
    file = file_open(path);
    if (file == NULL && errno == EBADF)
        return problem_set(reading, "history.jsonl is not a file");
    if (file == NULL)
        return -errno;
    while (error == 0 && (length = getline(&line, &capacity, file)) > 0) {
        if (line[length - 1] != '\n') /* cut off, as its writer was: what it was to say is not known */
            break;
        line[length - 1] = '\0';
        error = line_load(reading, line, ++number);
    }
    if (error == 0 && ferror(file))
        error = -EIO;
    if (error == 0 && number == 0)
        error = problem_set(reading, "history.jsonl holds no complete line: the run was cut off before it began");
    free(line);
    fclose(file);
    return error;
}

/* Files in journals/ are called N or N.K. */
static int journal_load(const struct reading *reading, const char *folder, const char *name)
{
    struct ipcmark_journal_view view;
    char path[PATH_SIZE], problem[400], *end;
    unsigned long process = strtoul(name, &end, 10);
    int error;
    if (end == name || (*end != '\0' && *end != '.') || process > UINT32_MAX)
        return problem_set(reading, "journals/%.100s: not named after a process; expected N or N.K", name);
    error = path_join(path, folder, name);
    if (error < 0)
        return error;
    error = ipcmark_journal_read(&view, path, problem, sizeof problem);
    if (error == -EBADMSG)
        return problem_set(reading, "journals/%.100s: %s", name, problem);
    if (error < 0)
        return error;
    return ipcmark_history_add_journal(reading->history, (uint32_t)process, name, &view);
}

static int is_name(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int journals_load(const struct reading *reading, const char *folder)
{
    char path[PATH_SIZE];
    struct dirent **names;
    int error = path_join(path, folder, "journals"), count;
    if (error < 0)
        return error;
    count = scandir(path, &names, is_name, alphasort); /* sorted: the same folder always gives the same verdict */
    if (count < 0)
        return -errno;
    for (int i = 0; i < count; ++i) {
        if (error == 0)
            error = journal_load(reading, path, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    return error;
}

/* It need not be there. */
static int schedule_load(struct ipcmark_history *history, const char *folder)
{
    char path[PATH_SIZE];
    size_t capacity = 0;
    FILE *file;
    int error = path_join(path, folder, "schedule.txt");
    if (error < 0)
        return error;
    file = file_open(path);
    if (file == NULL)
        return errno == ENOENT ? 0 : -errno;
    errno = 0;
    if (getdelim(&history->schedule, &capacity, '\0', file) < 0 && errno != 0)
        error = -errno;
    fclose(file);
    return error;
}

int ipcmark_history_load(struct ipcmark_history *out, const char *folder, char *problem, size_t problem_size)
{
    const struct reading reading = {out, folder, problem, problem_size};
    int error;
    memset(out, 0, sizeof *out);
    if (problem_size > 0)
        problem[0] = '\0';
    error = facts_load(&reading, folder);
    if (error == 0)
        error = journals_load(&reading, folder);
    return error < 0 ? error : schedule_load(out, folder);
}
