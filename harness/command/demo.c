/* ipcmark demo — everything once: the other commands, one after the other. */
#include "../control/paths.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char help[] =
    "Usage: ipcmark demo [--output DIRECTORY]\n"
    "\n"
    "Runs, one after the other, and says so:\n"
    "  1. ipcmark conformance --quick   for mmipc, the reference implementation\n"
    "  2. ipcmark conformance --quick   for fifo and tcp, what mmipc is compared with\n"
    "  3. ipcmark bench --suite quick   for all three\n"
    "  4. ipcmark report                DIRECTORY/report.html, one page that opens from disk\n"
    "Results are written to DIRECTORY, ./ipcmark-results by default.\n"
    "\n"
    "Exit codes: 0 mmipc keeps its promises and all steps ran. fifo and tcp are plain on purpose: promises that they\n"
    "break are shown, here and in the report, but do not count. 1 mmipc breaks a promise, 2 something remained "
    "unknown\n"
    "(mmipc's conformance, or the benchmark), 3 a step failed, 64 usage, 130 after Ctrl-C. 3 goes before 1 before 2.\n";

static volatile sig_atomic_t interrupted;
static volatile pid_t child;

/* From the terminal, the step has got it too; a second one would make it end without cleaning up. */
static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)context;
    interrupted = number;
    if (info->si_code != SI_KERNEL && child > 0)
        kill(child, number);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static bool has_program(const char *command)
{
    char name[64], path[PATH_MAX];
    snprintf(name, sizeof name, "ipcmark-%s", command);
    return paths_program(name, path, sizeof path) == 0 && access(path, X_OK) == 0;
}

static bool has_driver(const char *name)
{
    char path[PATH_MAX];
    return paths_driver(name, path, sizeof path) == 0;
}

/* Started by the guard's launcher: the step is killed with us, and then cleans up as it always does. A signal that
 * comes between the look at `interrupted` and the start is blocked meanwhile. */
static int start(char **arguments)
{
    char guard[PATH_MAX], program[PATH_MAX], name[64], self[32];
    char *launch[32] = {guard, (char *)(uintptr_t) "start", self, (char *)(uintptr_t) "-", program, NULL};
    snprintf(name, sizeof name, "ipcmark-%s", arguments[0]);
    snprintf(self, sizeof self, "%d", (int)getpid());
    int error = paths_program("ipcmark-guard", guard, sizeof guard);
    if (error == 0)
        error = paths_program(name, program, sizeof program);
    if (error < 0)
        return error;
    for (size_t i = 1; arguments[i] != NULL && i + 5 < sizeof launch / sizeof launch[0]; ++i)
        launch[i + 4] = arguments[i];
    pid_t pid;
    sigset_t block, before;
    posix_spawnattr_t attributes;
    sigemptyset(&block);
    sigaddset(&block, SIGINT);
    sigaddset(&block, SIGTERM);
    sigprocmask(SIG_BLOCK, &block, &before);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &before);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    error = interrupted ? EINTR : posix_spawn(&pid, guard, NULL, &attributes, launch, environ);
    posix_spawnattr_destroy(&attributes);
    if (error == 0)
        child = pid;
    sigprocmask(SIG_SETMASK, &before, NULL);
    return -error;
}

/* The step's exit code; 3 if it could not be started or was killed. */
static int run(const char *what, char **arguments)
{
    int status = 0;
    if (interrupted)
        return 3;
    printf("\n== %s\n   ipcmark", what);
    for (size_t i = 0; arguments[i] != NULL; ++i)
        printf(" %s", arguments[i]);
    puts("\n");
    fflush(stdout);
    int error = start(arguments);
    if (error < 0) {
        fprintf(stderr, "ipcmark demo: cannot run ipcmark-%s: %s\n", arguments[0], strerror(-error));
        return 3;
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    child = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) < 4)
        return WEXITSTATUS(status);
    if (!interrupted)
        fprintf(stderr, "ipcmark demo: ipcmark-%s ended with %s %d\n", arguments[0],
                WIFEXITED(status) ? "exit code" : "signal", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    return 3;
}

/* 3 goes before 1 before 2 before 0. */
static int worse(int a, int b)
{
    static const int rank[] = {0, 2, 1, 3};
    return rank[a] > rank[b] ? a : b;
}

struct files {
    char reference[PATH_MAX], others[PATH_MAX], bench[PATH_MAX], report[PATH_MAX];
};

static void name_files(struct files *files, const char *directory)
{
    int length = PATH_MAX - 32;
    snprintf(files->reference, PATH_MAX, "%.*s/conformance-mmipc.jsonl", length, directory);
    snprintf(files->others, PATH_MAX, "%.*s/conformance-others.jsonl", length, directory);
    snprintf(files->bench, PATH_MAX, "%.*s/bench.jsonl", length, directory);
    snprintf(files->report, PATH_MAX, "%.*s/report.html", length, directory);
}

/* --driver D for each that is there; the number of those. */
static size_t add_drivers(char **arguments, size_t *count, bool reference, bool others)
{
    static const char *const names[] = {"mmipc", "fifo", "tcp"};
    size_t added = 0;
    for (size_t i = 0; i < 3; ++i) {
        if (!(i == 0 ? reference : others) || !has_driver(names[i]))
            continue;
        arguments[(*count)++] = (char *)(uintptr_t) "--driver";
        arguments[(*count)++] = (char *)(uintptr_t)names[i];
        ++added;
    }
    return added;
}

static int conformance(const char *what, const char *output, bool reference)
{
    char *arguments[16] = {(char *)(uintptr_t) "conformance", (char *)(uintptr_t) "--quick"};
    size_t count = 2;
    if (add_drivers(arguments, &count, reference, !reference) == 0) {
        printf("\n== %s: left out, there is no such driver here\n", what);
        return reference ? 3 : 0;
    }
    arguments[count++] = (char *)(uintptr_t) "--output";
    arguments[count++] = (char *)(uintptr_t)output;
    return run(what, arguments);
}

static int bench(const char *output)
{
    char *arguments[16] = {(char *)(uintptr_t) "bench", (char *)(uintptr_t) "--suite", (char *)(uintptr_t) "quick"};
    size_t count = 3;
    add_drivers(arguments, &count, true, true);
    arguments[count++] = (char *)(uintptr_t) "--output";
    arguments[count++] = (char *)(uintptr_t)output;
    return run("a short benchmark of all three", arguments);
}

static int report(struct files *files)
{
    char *arguments[8] = {(char *)(uintptr_t) "report"};
    char *inputs[] = {files->reference, files->others, files->bench};
    size_t count = 1;
    for (size_t i = 0; i < 3; ++i)
        if (access(inputs[i], R_OK) == 0)
            arguments[count++] = inputs[i];
    arguments[count++] = (char *)(uintptr_t) "--output";
    arguments[count++] = files->report;
    return run("the report", arguments);
}

static void explain(const char *what, int code)
{
    static const char *const words[] = {"holds", "a clause fails", "something remained unknown", "could not be run"};
    printf("  %-32s %s\n", what, words[code]);
}

static int demo(const char *directory)
{
    struct files files;
    name_files(&files, directory);
    if (mkdir(directory, 0777) < 0 && errno != EEXIST) {
        fprintf(stderr, "ipcmark demo: cannot make %s: %s; name another with --output\n", directory, strerror(errno));
        return 3;
    }
    /* What an earlier demo left must not get into the report of this one. */
    unlink(files.reference);
    unlink(files.others);
    unlink(files.bench);
    unlink(files.report);
    int reference = conformance("does mmipc, the reference implementation, keep its promises?", files.reference, true);
    int others = conformance("do fifo and tcp?", files.others, false);
    int figures = bench(files.bench);
    int page = report(&files);
    if (interrupted) {
        fputs("\nipcmark demo: interrupted\n", stderr);
        return 128 + (int)interrupted;
    }
    puts("\n== summary");
    explain("conformance of mmipc", reference);
    explain("conformance of fifo and tcp", others);
    explain("benchmark", figures);
    explain("report", page);
    if (others == 1 || others == 2)
        puts("  (fifo and tcp are plain on purpose: what they break does not count here)");
    printf("\nThe report is %s\n", files.report);
    return worse(worse(reference, others == 3 ? 3 : 0), worse(figures, page));
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {0},
    };
    const char *directory = "ipcmark-results";
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'o':
            directory = optarg;
            break;
        case 'h':
            return fputs(help, stdout) < 0;
        case 'v':
            return puts("ipcmark " IPCMARK_VERSION) < 0;
        default:
            return 64;
        }
    }
    if (optind != argc) {
        fputs("ipcmark demo: it takes --output DIRECTORY and nothing else; see ipcmark demo --help\n", stderr);
        return 64;
    }
    if (!has_program("conformance") || !has_program("bench") || !has_program("report")) {
        fputs("ipcmark demo: ipcmark-conformance, ipcmark-bench or ipcmark-report is missing beside this program; "
              "install or build all of ipcmark\n",
              stderr);
        return 3;
    }
    catch_signals();
    return demo(directory);
}
