#include "measure.h"

#include "gate.h"

#include "../command/command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <ipcmark/control.h>

extern char **environ;

enum { WORDS = 40, NUMBERS = 32, DRIVER = 4096 };
/* Beside the seconds of a cell, for processes, their connections and the lines between rounds: at least, on a quick
 * machine with nothing else to do, and as much as usual. */
static const double quick = 0.08, usual = 0.2;
/* Then it is ended. */
static const double grace_seconds = 0.5, patience_seconds = 60;

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
    interrupted = signal;
}

void gate_listen(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static bool takes_hot(const struct gate_measuring *measuring)
{
    return (measuring->metrics & (1u << GATE_P50 | 1u << GATE_P99)) != 0;
}

static bool takes_rate(const struct gate_measuring *measuring)
{
    return (measuring->metrics & 1u << GATE_RATE) != 0;
}

/* With a base three drivers a family; else one, and what it is taken over. */
static double blocks_of(const struct gate_measuring *measuring, double overhead)
{
    const unsigned hot = 3, rate = measuring->base ? 3 : 2;
    const double rows = (takes_hot(measuring) ? hot : 0) + (takes_rate(measuring) ? rate : 0);
    return measuring->seconds / (rows * (measuring->cell_seconds + overhead));
}

bool gate_has_time(const struct gate_measuring *measuring)
{
    return blocks_of(measuring, usual) >= GATE_FEWEST_BLOCKS;
}

static void make_filter(char *out, size_t size, const struct gate_measuring *measuring, bool limits)
{
    static const char *const families[] = {"", "hot", "throughput", "hot|throughput"};
    static const char *const of[] = {"", "line|bare-ring-hot/64B", "bare-ring/64B",
                                     "line|bare-ring-hot/64B|bare-ring/64B"};
    const int both = (takes_hot(measuring) ? 1 : 0) + (takes_rate(measuring) ? 2 : 0);

    if (limits)
        snprintf(out, size, "^((%s)/[^/]+/64B/1x1|limit/(%s))$", families[both], of[both]);
    else
        snprintf(out, size, "^(%s)/[^/]+/64B/1x1$", families[both]);
}

struct words {
    const char *list[WORDS];
    size_t count;
};

static void add(struct words *words, const char *option, const char *value)
{
    words->list[words->count++] = option;
    words->list[words->count++] = value;
}

/* Started by the guard's launcher: it is killed when we die, and then its own guard cleans up. */
static int begin_words(struct words *words, char *launcher, char *program, char *self)
{
    int result = ipcmark_program_path("ipcmark-guard", launcher, PATH_MAX);

    if (result == 0)
        result = ipcmark_program_path("ipcmark-bench", program, PATH_MAX);
    snprintf(self, NUMBERS, "%d", (int)getpid());
    words->list[words->count++] = launcher;
    add(words, "start", self);
    add(words, "-", program);
    words->list[words->count++] = "--quiet";
    return result;
}

static int start(const struct words *words, const char *said, pid_t *child)
{
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);

    if (error)
        return -error;
    error = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (error == 0)
        error = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, said, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (error == 0)
        error = posix_spawn(child, words->list[0], &actions, NULL, (char **)(uintptr_t)words->list, environ);
    posix_spawn_file_actions_destroy(&actions);
    return -error;
}

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* What it has measured when its time is over is what there is: how many blocks that are shows how quick the machine is.
 * True: its time was over. */
static bool wait_for(pid_t child, double seconds)
{
    const double until = now_seconds() + seconds;
    struct pollfd ended = {.fd = (int)syscall(SYS_pidfd_open, child, 0), .events = POLLIN};
    double asked_at = 0;
    bool late = false;

    while (ended.fd >= 0 && poll(&ended, 1, 200) <= 0) { /* so often for a signal that came just before the poll */
        late = late || now_seconds() > until;
        if (asked_at > 0 && now_seconds() > asked_at + patience_seconds)
            kill(child, SIGKILL); /* its guard cleans up after it */
        if (asked_at == 0 && (interrupted || late)) {
            kill(child, SIGTERM); /* of a terminal's SIGINT it has heard itself, and twice the same would be final */
            asked_at = now_seconds();
        }
    }
    if (ended.fd >= 0)
        close(ended.fd);
    return late;
}

static void show(const char *said)
{
    char *text;
    if (command_load(&text, said) < 0)
        return;
    fputs(text, stderr);
    free(text);
}

static int fail_to_start(int error)
{
    command_say("gate",
                "ipcmark-bench: %s; it belongs into libexec/ipcmark beside ipcmark, or where IPCMARK_EXEC_PATH says",
                strerror(-error));
    return EXIT_UNREADABLE;
}

static int run(const struct words *words, const char *said, double seconds)
{
    int status = 0, error;
    bool late;
    pid_t child;

    error = start(words, said, &child);
    if (error < 0)
        return fail_to_start(error);
    late = wait_for(child, seconds + grace_seconds);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (interrupted)
        return 128 + (int)interrupted;
    status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (status <= 1 || late)
        return 0;
    show(said);
    return 3;
}

int gate_measure(const struct gate_measuring *measuring)
{
    char launcher[PATH_MAX], program[PATH_MAX], self[NUMBERS], blocks[NUMBERS], seed[NUMBERS], seconds[NUMBERS];
    char candidate[DRIVER], base[DRIVER], control[DRIVER], filter[160];
    struct words words = {0};
    int error = begin_words(&words, launcher, program, self);

    if (error < 0)
        return fail_to_start(error);
    unlink(measuring->output); /* one that did not finish would not be written over */
    snprintf(candidate, sizeof candidate, "candidate=%s", measuring->candidate);
    snprintf(base, sizeof base, "base=%s", measuring->base ? measuring->base : "");
    snprintf(control, sizeof control, "control=%s", measuring->base ? measuring->base : "");
    snprintf(blocks, sizeof blocks, "%.0f", ceil(blocks_of(measuring, quick)));
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)measuring->seed);
    snprintf(seconds, sizeof seconds, "%g", measuring->cell_seconds);
    make_filter(filter, sizeof filter, measuring, measuring->base == NULL);
    add(&words, "--driver", candidate);
    if (measuring->base) {
        add(&words, "--driver", base);
        add(&words, "--driver", control);
    }
    add(&words, "--filter", filter);
    add(&words, "--blocks", blocks);
    add(&words, "--seconds", seconds);
    add(&words, "--seed", seed);
    add(&words, "--shard", "1/1"); /* whatever the environment says of shards */
    add(&words, "--output", measuring->output);
    if (measuring->pin)
        add(&words, "--pin", measuring->pin);
    return run(&words, measuring->said, measuring->seconds);
}

int gate_measure_others(const struct gate_measuring *measuring)
{
    char launcher[PATH_MAX], program[PATH_MAX], self[NUMBERS], seed[NUMBERS], filter[160];
    struct words words = {0};
    int error = begin_words(&words, launcher, program, self);

    if (error < 0)
        return fail_to_start(error);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)measuring->seed);
    make_filter(filter, sizeof filter, measuring, false);
    add(&words, "--driver", "fifo");
    add(&words, "--driver", "tcp");
    add(&words, "--filter", filter);
    add(&words, "--blocks", "1");
    add(&words, "--seconds", "0.1");
    add(&words, "--seed", seed);
    add(&words, "--shard", "1/1");
    add(&words, "--output", measuring->output);
    if (measuring->pin)
        add(&words, "--pin", measuring->pin);
    return run(&words, measuring->said, measuring->seconds);
}
