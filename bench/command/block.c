#include "block.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <ipcmark/control.h>

extern char **environ;

enum { CELLS_FD = 3, LINE_BYTES = 16 << 20 };

/* Beyond the deadlines of all that a cell waits for; so long without one and the program itself hangs. */
enum { PATIENCE_SECONDS = 300, GRACE_SECONDS = 20 };

struct words {
    char **list;
    size_t count, room;
};

static int add_word(struct words *words, const char *value)
{
    if (words->count + 1 >= words->room) {
        size_t room = words->room * 2 + 16;
        char **list = realloc(words->list, room * sizeof *list);
        if (list == NULL)
            return -ENOMEM;
        words->list = list;
        words->room = room;
    }
    words->list[words->count] = strdup(value);
    if (words->list[words->count] == NULL)
        return -ENOMEM;
    words->list[++words->count] = NULL;
    return 0;
}

static int add_pair(struct words *words, const char *option, const char *value)
{
    int result = value == NULL ? 0 : add_word(words, option);
    return result < 0 || value == NULL ? result : add_word(words, value);
}

static void free_words(struct words *words)
{
    for (size_t i = 0; i < words->count; ++i)
        free(words->list[i]);
    free(words->list);
}

/* Started by the guard's launcher, which ties it to us: it is killed when we die, and then its own guard cleans up. */
static int add_program(struct words *words)
{
    char launcher[PATH_MAX], program[PATH_MAX], self[16];
    int result;

    if ((result = ipcmark_program_path("ipcmark-guard", launcher, sizeof launcher)) < 0 ||
        (result = ipcmark_program_path("ipcmark-bench-rows", program, sizeof program)) < 0)
        return result;
    snprintf(self, sizeof self, "%d", (int)getpid());
    if ((result = add_word(words, launcher)) < 0 || (result = add_pair(words, "start", self)) < 0)
        return result;
    return add_pair(words, "-", program); /* on the CPUs that we have */
}

/* A file of Google Benchmark's own is written anew by each block's program, so each block has another. */
static int add_runner_flag(struct words *words, const char *flag, const char *block)
{
    char *named;
    int result;

    if (strncmp(flag, "--benchmark_out=", 16) != 0)
        return add_word(words, flag);
    if (asprintf(&named, "%s.%s", flag, block) < 0)
        return -ENOMEM;
    result = add_word(words, named);
    free(named);
    return result;
}

static int make_words(struct words *words, const struct options *options, unsigned block, const char *const *rows)
{
    char block_text[16], seed_text[24], samples_text[24];
    int result;

    snprintf(block_text, sizeof block_text, "%u", block);
    snprintf(seed_text, sizeof seed_text, "%llu", (unsigned long long)options->seed);
    snprintf(samples_text, sizeof samples_text, "%llu", (unsigned long long)options_samples(options));
    if ((result = add_program(words)) < 0 || (result = add_pair(words, "--block", block_text)) < 0 ||
        (result = add_pair(words, "--seed", seed_text)) < 0 || (result = add_pair(words, "--pin", options->pin)) < 0 ||
        (result = add_pair(words, "--seconds", options->seconds)) < 0 ||
        (result = add_pair(words, "--samples", samples_text)) < 0 ||
        (result = add_pair(words, "--cells", "/dev/fd/3")) < 0)
        return result;
    if (options->runner_count == 0) /* its report was not asked for: the summary is ours */
        result = add_word(words, "--quiet");
    for (size_t i = 0; i < options->driver_count && result == 0; ++i)
        result = add_pair(words, "--driver", options->drivers[i]);
    for (size_t i = 0; i < options->runner_count && result == 0; ++i)
        result = add_runner_flag(words, options->runner[i], block_text);
    if (result == 0)
        result = add_word(words, "--");
    for (size_t i = 0; rows[i] != NULL && result == 0; ++i)
        result = add_word(words, rows[i]);
    return result;
}

static int start(char *const *words, int cells, pid_t *child)
{
    posix_spawn_file_actions_t actions;
    int error;

    if (posix_spawn_file_actions_init(&actions) != 0)
        return -ENOMEM;
    error = posix_spawn_file_actions_adddup2(&actions, cells, CELLS_FD);
    if (error == 0)
        error = posix_spawn(child, words[0], &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    return -error;
}

struct reader {
    char *bytes;
    size_t used;
    block_cell_fn *on_cell;
    void *context;
    bool over; /* no more are wanted */
};

static void take_lines(struct reader *reader)
{
    char *start = reader->bytes, *end;

    while ((end = memchr(start, '\n', reader->used - (size_t)(start - reader->bytes))) != NULL) {
        cJSON *record = cJSON_ParseWithLength(start, (size_t)(end - start));
        if (record != NULL && !reader->over)
            reader->over = reader->on_cell(reader->context, record) < 0;
        cJSON_Delete(record);
        start = end + 1;
    }
    reader->used -= (size_t)(start - reader->bytes);
    memmove(reader->bytes, start, reader->used);
}

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Ends the program when that is asked for, or when it hangs; first so that it can clean up. */
struct ender {
    pid_t child;
    double cell_at, asked_at; /* asked_at 0: not asked yet */
};

static void end_if_due(struct ender *ender, bool interrupted)
{
    double now = now_seconds();

    if (ender->asked_at > 0 && now - ender->asked_at > GRACE_SECONDS)
        kill(ender->child, SIGKILL); /* its guard cleans up after it */
    if (ender->asked_at > 0 || (!interrupted && now - ender->cell_at < PATIENCE_SECONDS))
        return;
    ender->asked_at = now;
    kill(ender->child, SIGTERM); /* from a terminal it has had SIGINT already, and twice the same would be final */
}

/* Until the program has closed its end, which it does when it ends, however it ends. */
static void read_cells(int cells, pid_t child, volatile sig_atomic_t *interrupted, struct reader *reader)
{
    struct pollfd ready = {.fd = cells, .events = POLLIN};
    struct ender ender = {.child = child, .cell_at = now_seconds()};

    while (reader->used < LINE_BYTES) {
        ssize_t got;
        end_if_due(&ender, *interrupted != 0 || reader->over);
        if (poll(&ready, 1, 200) <= 0) /* so often for a signal that came just before the poll */
            continue;
        got = read(cells, reader->bytes + reader->used, LINE_BYTES - reader->used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return;
        reader->used += (size_t)got;
        take_lines(reader);
        ender.cell_at = now_seconds();
    }
    kill(child, SIGTERM); /* a line without end: not our program */
}

int block_run(const struct options *options, unsigned block, const char *const *rows,
              volatile sig_atomic_t *interrupted, block_cell_fn *on_cell, void *context)
{
    struct words words = {0};
    struct reader reader = {.on_cell = on_cell, .context = context};
    int ends[2] = {-1, -1}, status = 0, result;
    pid_t child = 0;

    reader.bytes = malloc(LINE_BYTES);
    result = reader.bytes == NULL ? -ENOMEM : make_words(&words, options, block, rows);
    if (result < 0)
        goto out;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        result = -errno;
        goto out;
    }
    if ((result = start(words.list, ends[1], &child)) < 0)
        goto out;
    close(ends[1]);
    ends[1] = -1;
    read_cells(ends[0], child, interrupted, &reader);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
out:
    for (int i = 0; i < 2; ++i)
        if (ends[i] >= 0)
            close(ends[i]);
    free_words(&words);
    free(reader.bytes);
    return result;
}
