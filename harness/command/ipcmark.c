/* ipcmark — runs ipcmark-COMMAND, as git does. */
#include "../control/paths.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_USAGE = 64 };

static const struct command {
    const char *name, *summary;
} commands[] = {
    {"demo", "conformance and a short benchmark of mmipc, fifo and tcp, then the report"},
    {"conformance", "does an implementation keep its promises?"},
    {"soak", "does it keep them for hours, while participants come, go and die?"},
    {"bench", "how fast is it?"},
    {"run", "one scenario of your own"},
    {"report", "result files to one HTML page"},
    {"gate", "fail when it got slower or began to lose messages"},
    {"merge", "join the result files of shards"},
    {"export", "result files to other formats"},
    {"check", "judge recorded journals again"},
    {"drivers", "what can be tested, and what it claims to do"},
};
static const size_t command_count = sizeof commands / sizeof commands[0];

static int find_program(const char *command, char *path, size_t size)
{
    char name[64];
    if (strchr(command, '/') != NULL || (size_t)snprintf(name, sizeof name, "ipcmark-%s", command) >= sizeof name)
        return -ENOENT;
    int error = paths_program(name, path, size);
    return error < 0 ? error : access(path, X_OK) < 0 ? -errno : 0;
}

static int print_help(void)
{
    char path[PATH_MAX];
    puts("Usage: ipcmark COMMAND [OPTION…]\n"
         "\n"
         "Tells whether a publish/subscribe IPC implementation keeps its promises, and how fast it is.\n"
         "\n"
         "Commands:");
    for (size_t i = 0; i < command_count; ++i)
        if (find_program(commands[i].name, path, sizeof path) == 0)
            printf("  %-12s  %s\n", commands[i].name, commands[i].summary);
    puts("\n"
         "  ipcmark demo                                  everything once, in a few minutes\n"
         "  ipcmark conformance --driver ./mine.so        your own implementation; harness/PROTOCOL.md has how\n"
         "  ipcmark help COMMAND                          its options, examples and exit codes\n"
         "\n"
         "Exit codes of all commands: 0 holds, 1 a clause fails or a regression, 2 unknown or inconclusive,\n"
         "3 the harness or an agent failed, 64 usage; after Ctrl-C 130.");
    return 0;
}

static int print_version(void)
{
    return puts("ipcmark " IPCMARK_VERSION) < 0;
}

/* How many letters must be inserted, deleted or replaced. */
static size_t distance(const char *a, const char *b)
{
    size_t row[64], length = strlen(b);
    if (length >= sizeof row / sizeof row[0] || strlen(a) >= sizeof row / sizeof row[0])
        return SIZE_MAX;
    for (size_t j = 0; j <= length; ++j)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; ++i) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= length; ++j) {
            size_t replace = diagonal + (a[i - 1] != b[j - 1]), least = row[j] < row[j - 1] ? row[j] : row[j - 1];
            diagonal = row[j];
            row[j] = least + 1 < replace ? least + 1 : replace;
        }
    }
    return row[length];
}

static int refuse(const char *name)
{
    const char *nearest = NULL;
    char path[PATH_MAX];
    size_t least = 4; /* letters; farther away it is not a slip of the fingers */
    for (size_t i = 0; i < command_count; ++i) {
        size_t letters = distance(name, commands[i].name);
        if (letters < least && find_program(commands[i].name, path, sizeof path) == 0) {
            least = letters;
            nearest = commands[i].name;
        }
    }
    fprintf(stderr, "ipcmark: there is no command '%s'", name);
    if (nearest != NULL)
        fprintf(stderr, "; did you mean 'ipcmark %s'?\n", nearest);
    else
        fputs("; `ipcmark --help` lists them\n", stderr);
    return EXIT_USAGE;
}

static int run(char **arguments)
{
    char path[PATH_MAX];
    if (find_program(arguments[0], path, sizeof path) < 0)
        return refuse(arguments[0]);
    execv(path, arguments);
    fprintf(stderr, "ipcmark: cannot run %s: %s\n", path, strerror(errno));
    return 3;
}

int main(int argc, char **argv)
{
    static char help[] = "--help";
    const char *first = argc < 2 ? "" : argv[1];
    if (strcmp(first, "--version") == 0)
        return print_version();
    if (strcmp(first, "--help") == 0 || (strcmp(first, "help") == 0 && argc == 2))
        return print_help();
    if (strcmp(first, "help") == 0)
        return run((char *[]){argv[2], help, NULL});
    if (*first == '\0' || *first == '-') {
        fprintf(stderr, "ipcmark: %s%s; `ipcmark --help` lists the commands\n",
                *first == '\0' ? "which command?" : "there is no option ", first);
        return EXIT_USAGE;
    }
    return run(argv + 1);
}
